/* SPDX-License-Identifier: Apache-2.0
 * does: a connection for each lookup; the error path forgets PQfinish
 * expect: LEAK L1
 * culprit: lookup
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

static int leaked;

static void lookup(int locked)
{
	PGconn *connection = subject_connect();

	PQclear(PQexec(connection, "SELECT 1")); /* CULPRIT */
	if (locked) {
		leaked++;
		return;
	}
	PQfinish(connection);
}

int main(void)
{
	for (int i = 0; subject_next(); i++)
		lookup(i % 10 == 0);
	subject_end(leaked);
}
