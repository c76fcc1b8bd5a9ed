/* SPDX-License-Identifier: Apache-2.0
 * does: eight queries that take as long as the program, one started after the other
 * expect: none
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

#define QUERIES 8

int main(void)
{
	PGconn *steady = subject_connect();
	int running = 0;

	for (int i = 0; subject_next(); i++) {
		subject_query(steady, "SELECT 1");
		if (running < QUERIES && i % 30 == 0) {
			PQsendQuery(subject_connect(), "SELECT pg_sleep(60)");
			running++;
		}
	}
	subject_end(0);
}
