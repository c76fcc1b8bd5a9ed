/* SPDX-License-Identifier: Apache-2.0
 * Healthy pools of one thread that look like leaks when only age is asked.
 *
 *   burst SIZE SECONDS   all members used at once, then one request at a time
 *   minimum SIZE SECONDS filled at the start, only the first member is ever used
 *   lifo SIZE SECONDS    last in, first out: one to three members at a time, all of them now and then; the
 *                        tail stays cold in between
 *
 * Expected: no finding. Prints its ground truth as one line of JSON. The database comes from PGHOST and the like. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST 64

static PGconn *pool[MOST]; /* a stack of those that exist; opened when first wanted */
static int open_members;

static void fail(const char *what)
{
	fprintf(stderr, "c-libpq-pool: %s\n", what);
	exit(1);
}

static void grow(int size)
{
	while (open_members < size) {
		PGconn *connection = PQconnectdb("");

		if (PQstatus(connection) != CONNECTION_OK)
			fail(PQerrorMessage(connection));
		pool[open_members++] = connection;
	}
}

/* `together` requests in flight at once, on the members that were returned last. */
static void use(int together, const char *query)
{
	PGresult *result;
	int i;

	grow(together);
	for (i = 0; i < together; i++)
		if (!PQsendQuery(pool[i], query))
			fail(PQerrorMessage(pool[i]));
	for (i = 0; i < together; i++)
		while ((result = PQgetResult(pool[i])) != NULL) {
			if (PQresultStatus(result) != PGRES_TUPLES_OK)
				fail(PQerrorMessage(pool[i]));
			PQclear(result);
		}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
	struct timespec time = {0, ms * 1000000};

	nanosleep(&time, NULL);
}

int main(int argc, char **argv)
{
	double end;
	int size, round;

	if (argc != 4 || (size = atoi(argv[2])) < 1 || size > MOST)
		fail("usage: c-libpq-pool burst|minimum|lifo SIZE SECONDS");
	end = now() + atof(argv[3]);
	if (strcmp(argv[1], "burst") == 0)
		use(size, "SELECT pg_sleep(0.3)");
	else if (strcmp(argv[1], "minimum") == 0)
		grow(size);
	else if (strcmp(argv[1], "lifo") != 0)
		fail("unknown mode");
	for (round = 1; now() < end; round++) {
		int together = 1;

		if (strcmp(argv[1], "lifo") == 0)
			together = round % 100 == 0 ? size : 1 + round % 3;
		use(together, "SELECT 1");
		pause_ms(20);
	}
	printf("{\"opened\": %d, \"closed\": 0, \"leaked\": 0, \"open\": %d}\n", open_members, open_members);
	return 0;
}
