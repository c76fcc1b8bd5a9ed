/* SPDX-License-Identifier: Apache-2.0
 * does: the server ends the connections of slow reports (an administrator does that); nobody notices or closes them
 * expect: LEAK L7
 * culprit: report
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

static void report(PGconn *administrator)
{
	PGconn *connection = subject_connect();
	char text[64];

	subject_query(connection, "SELECT 1"); /* CULPRIT */
	snprintf(text, sizeof(text), "SELECT pg_terminate_backend(%d)", PQbackendPID(connection));
	subject_query(administrator, text);
}

int main(void)
{
	PGconn *administrator = subject_connect();
	int leaked = 0;

	for (int i = 0; subject_next(); i++) {
		subject_query(administrator, "SELECT 1");
		if (i % 12 == 0) {
			report(administrator);
			leaked++;
		}
	}
	subject_end(leaked);
}
