/* SPDX-License-Identifier: Apache-2.0
 * runs: connectdb params start login reset fixed
 * does: a connection for each lookup, made in the way that is named; the error path forgets PQfinish and loses the
 * does: pointer. fixed: all of the ways in turn, each is finished
 * expect: LEAK L1
 * expect of fixed: none
 * culprit: lookup
 * server: postgresql */
#include <libpq-fe.h>
#include <poll.h>

#include "subject.h"

static void *by_connectdb(void)
{
	return PQconnectdb("");
}

static void *by_params(void)
{
	const char *keys[] = {"application_name", NULL}, *values[] = {"subject", NULL};

	return PQconnectdbParams(keys, values, 0);
}

static void *by_login(void)
{
	return PQsetdbLogin(NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}

/* What a program with an event loop of its own does. */
static void *by_start(void)
{
	PGconn *connection = PQconnectStart("");
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
		struct pollfd socket = {PQsocket(connection), status == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0};

		poll(&socket, 1, 1000);
		status = PQconnectPoll(connection);
	}
	return connection;
}

/* The handle stays, its socket is another one. */
static void *by_reset(void)
{
	PGconn *connection = PQconnectdb("");

	subject_query(connection, "SELECT 1");
	PQreset(connection);
	return connection;
}

static void lookup(void *handle, bool locked)
{
	PGconn *connection = handle;

	if (PQstatus(connection) != CONNECTION_OK)
		subject_fail(PQerrorMessage(connection));
	PQclear(PQexec(connection, "SELECT 1")); /* CULPRIT */
	if (locked)
		return;
	PQfinish(connection);
}

int main(int count, char **arguments)
{
	static const struct subject_way ways[] = {
		{"connectdb", by_connectdb},
		{"params", by_params},
		{"start", by_start},
		{"login", by_login},
		{"reset", by_reset}, {0}
	};

	subject_end(subject_ways(count > 1 ? arguments[1] : NULL, ways, lookup));
}
