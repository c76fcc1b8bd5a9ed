/* SPDX-License-Identifier: Apache-2.0
 * does: leaders of three shards each hold an advisory lock on a connection of their own
 * expect: none
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

#define SHARDS 3

int main(void)
{
	PGconn *steady = subject_connect();
	int shards = 0;
	char text[64];

	for (int i = 0; subject_next(); i++) {
		subject_query(steady, "SELECT 1");
		if (shards == SHARDS || i % 30)
			continue;
		snprintf(text, sizeof(text), "SELECT pg_advisory_lock(%d)", shards++);
		subject_query(subject_connect(), text);
	}
	subject_end(0);
}
