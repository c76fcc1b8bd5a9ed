/* SPDX-License-Identifier: Apache-2.0
 * Skips PQfinish on an error path; another connection serves other requests all the time.
 *
 * Expected: LEAK, L1 never-closed, culprit `lookup` at the line marked CULPRIT; the shared connection is not
 * flagged. With --fixed: no finding.
 * Ends by itself and prints its ground truth as one line of JSON. The database comes from PGHOST and the like. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int fixed;
static int opened, closed, leaked;

static void fail(const char *what)
{
	fprintf(stderr, "c-libpq-leak: %s", what);
	exit(1);
}

static PGconn *open_connection(void)
{
	PGconn *connection = PQconnectdb("");

	if (PQstatus(connection) != CONNECTION_OK)
		fail(PQerrorMessage(connection));
	opened++;
	return connection;
}

/* One request with a connection of its own. Returns -1 where the order does not exist. */
static int lookup(int order)
{
	PGconn *connection = open_connection();
	char query[64];
	PGresult *result;

	snprintf(query, sizeof(query), "SELECT 1 / %d", order);
	result = PQexec(connection, query); /* CULPRIT */
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		PQclear(result);
		if (fixed) {
			PQfinish(connection);
			closed++;
		} else {
			leaked++;
		}
		return -1;
	}
	PQclear(result);
	PQfinish(connection);
	closed++;
	return 0;
}

static void heartbeat(PGconn *shared)
{
	PGresult *result = PQexec(shared, "SELECT 1");

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail(PQerrorMessage(shared));
	PQclear(result);
}

static void pause_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* usage: c-libpq-leak [--fixed] [leaks [pause between them in ms]] */
int main(int argc, char **argv)
{
	int leaks = 40, pause = 100, i;
	PGconn *shared;

	if (argc > 1 && strcmp(argv[1], "--fixed") == 0) {
		fixed = 1;
		argc--;
		argv++;
	}
	if (argc > 1)
		leaks = atoi(argv[1]);
	if (argc > 2)
		pause = atoi(argv[2]);

	shared = open_connection();
	/* An order of 0 does not exist; every other request is well. */
	for (i = 1; i <= leaks * 2; i++) {
		int beat;

		lookup(i % 2);
		for (beat = 0; beat < 5; beat++) {
			heartbeat(shared);
			pause_ms(pause / 10);
		}
	}
	/* A quiet end, so that even the last one lost is idle for longer than the cut-off. */
	for (i = 0; i < 75; i++) {
		heartbeat(shared);
		pause_ms(20);
	}
	printf("{\"opened\": %d, \"closed\": %d, \"leaked\": %d, \"open\": %d}\n", opened, closed, leaked, opened - closed);
	fflush(stdout);
	if (fixed)
		PQfinish(shared);
	return 0;
}
