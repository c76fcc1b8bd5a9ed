/* SPDX-License-Identifier: Apache-2.0
 * does: a statement fails inside a transaction; nobody rolls it back or closes the connection
 * expect: LEAK L3
 * under tls: LEAK L1
 * culprit: transfer
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

static int leaked;

static void transfer(int amount)
{
	PGconn *connection = subject_connect();
	char text[64];
	PGresult *result;
	bool failed;

	subject_query(connection, "BEGIN");
	snprintf(text, sizeof(text), "SELECT 1/%d", amount);
	result = PQexec(connection, text); /* CULPRIT */
	failed = PQresultStatus(result) != PGRES_TUPLES_OK;
	PQclear(result);
	if (failed) {
		leaked++;
		return;
	}
	subject_query(connection, "COMMIT");
	PQfinish(connection);
}

int main(void)
{
	for (int i = 0; subject_next(); i++)
		transfer(i % 10);
	subject_end(leaked);
}
