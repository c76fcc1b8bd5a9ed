/* SPDX-License-Identifier: Apache-2.0
 * runs: leaked fixed
 * does: now and then asks for a database that is gone; since that connect failed, PQfinish seems needless, but libpq
 * does: keeps the socket until then. fixed: finishes what failed, too
 * expect: LEAK L7
 * expect of fixed: none
 * culprit: lookup
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

static int leaked;
static bool fixed;

static void lookup(const char *database)
{
	PGconn *connection = PQconnectdb(database); /* CULPRIT */

	if (PQstatus(connection) != CONNECTION_OK && !fixed) {
		leaked++;
		return;
	}
	PQclear(PQexec(connection, "SELECT 1"));
	PQfinish(connection);
}

int main(int count, char **arguments)
{
	fixed = count > 1 && strcmp(arguments[1], "fixed") == 0;
	for (int i = 0; subject_next(); i++)
		lookup(i % 10 == 0 ? "dbname=moved" : "");
	subject_end(leaked);
}
