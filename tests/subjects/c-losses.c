/* SPDX-License-Identifier: Apache-2.0
 * Loses connections in the way that its argument names, beside a connection that goes on serving; with --fixed it does
 * the same and cleans up.
 *
 *   failed    a transaction that failed and is never ended          LEAK L3
 *   begun     transactions that are begun and left                  LEAK L3 (three of one place)
 *   abandon   answers that are not read on                          LEAK L4
 *   orphan    connections of threads that ended                     LEAK L5
 *   unused    connections that are opened and never used            SUSPECT L10
 *
 * The line to blame is marked CULPRIT and the kind. Ends by itself and prints its ground truth as one line of JSON; what
 * is open then stays open until the exit closes it. The database comes from PGHOST and the like. */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static PGconn *server;
static int fixed, opened, leaked;

static void fail(const char *what)
{
	fprintf(stderr, "c-losses: %s\n", what);
	exit(1);
}

static PGconn *open_one(void)
{
	PGconn *connection = PQconnectdb("");

	if (PQstatus(connection) != CONNECTION_OK)
		fail(PQerrorMessage(connection));
	__atomic_fetch_add(&opened, 1, __ATOMIC_RELAXED);
	return connection;
}

static void run(PGconn *connection, const char *text)
{
	PQclear(PQexec(connection, text));
}

/* Requests every 10 ms on the connection that is not lost. */
static void serve(int ms)
{
	struct timespec pause = {.tv_nsec = 10000000};

	for (int i = 0; i < ms / 10; i++) {
		run(server, "SELECT 1");
		nanosleep(&pause, NULL);
	}
}

static void lose_failed(void)
{
	PGconn *connection = open_one();

	run(connection, "BEGIN");
	run(connection, "SELECT 1/0"); /* CULPRIT failed */
	if (fixed)
		run(connection, "ROLLBACK");
}

static void lose_begun(void)
{
	PGconn *connection = open_one();

	run(connection, "BEGIN");
	run(connection, "SELECT 1"); /* CULPRIT begun */
	if (fixed)
		run(connection, "COMMIT");
}

/* More than both sockets hold. */
static void lose_abandon(void)
{
	PGconn *connection = open_one();

	if (fixed)
		run(connection, "SELECT repeat('x', 1000) FROM generate_series(1, 30000)");
	else
		PQsendQuery(connection, "SELECT repeat('x', 1000) FROM generate_series(1, 30000)"); /* CULPRIT abandon */
}

static void *orphan(void *nothing)
{
	PGconn *connection = open_one();

	for (int i = 0; i < 3; i++)
		run(connection, "SELECT 1"); /* CULPRIT orphan */
	if (fixed)
		PQfinish(connection);
	return nothing;
}

static void lose_orphan(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, orphan, NULL) || pthread_join(thread, NULL))
		fail("no thread");
}

static void lose_unused(void)
{
	PGconn *connection = open_one(); /* CULPRIT unused */

	if (fixed)
		PQfinish(connection);
}

static const struct {
	const char *name;
	void (*lose)(void);
	int times, apart_ms, after_ms;
} kinds[] = {
	{"failed", lose_failed, 4, 100, 3000},
	{"begun", lose_begun, 4, 100, 4000},
	{"abandon", lose_abandon, 4, 100, 4000},
	{"orphan", lose_orphan, 30, 150, 2000},
	{"unused", lose_unused, 30, 400, 2000},
};

int main(int argc, char **argv)
{
	fixed = argc == 3 && strcmp(argv[2], "--fixed") == 0;
	server = open_one();
	for (size_t kind = 0; argc > 1 && kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		if (strcmp(argv[1], kinds[kind].name) != 0)
			continue;
		for (int i = 0; i < kinds[kind].times; i++) {
			kinds[kind].lose();
			leaked += !fixed;
			serve(kinds[kind].apart_ms);
		}
		serve(kinds[kind].after_ms);
		printf("{\"opened\": %d, \"leaked\": %d}\n", opened, leaked);
		fflush(stdout);
		_exit(0);
	}
	fail("name one of failed, begun, abandon, orphan, unused");
}
