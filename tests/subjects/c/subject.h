/* SPDX-License-Identifier: Apache-2.0
 * What every subject in C shares: the pace of its requests, its end, its servers. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int subject_requests;

static inline double subject_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static inline void subject_sleep(double seconds)
{
	struct timespec pause = {seconds, (seconds - (long)seconds) * 1e9};

	nanosleep(&pause, NULL);
}

/* True every 20 ms, with lulls of a second under SUBJECT_BURSTS, until SUBJECT_SECONDS are over but for 1.5. */
static inline bool subject_next(void)
{
	static double began, lull;
	const char *seconds = getenv("SUBJECT_SECONDS");

	if (began == 0)
		began = lull = subject_now();
	if (getenv("SUBJECT_BURSTS") && subject_now() > lull + 3) {
		subject_sleep(1);
		lull = subject_now();
	}
	subject_sleep(0.02);
	subject_requests++;
	return subject_now() < began + (seconds ? atof(seconds) : 12) - 1.5;
}

/* A quiet end; what is open is closed by the exit alone. */
static inline void subject_end(int leaked)
{
	subject_sleep(1.5);
	printf("{\"leaked\": %d, \"requests\": %d}\n", leaked, subject_requests);
	fflush(stdout);
	_exit(0);
}

static inline void subject_fail(const char *what)
{
	fprintf(stderr, "subject: %s\n", what);
	exit(1);
}

/* A way to make a connection. */
struct subject_way {
	const char *name;
	void *(*open)(void);
};

/* Uses a connection at each pace, made in the way that is named, and loses one in 0.2 s, however long connecting takes,
 * but never two in a row; all ways in turn and none lost where the name is another one. Returns how many were lost.
 * The ways end with a name of NULL. */
static inline int subject_ways(const char *name, const struct subject_way *ways, void (*use)(void *connection, bool lose))
{
	const struct subject_way *one = ways;
	int count = 0, lost = 0;
	double next = 0;
	bool lose = false;

	while (ways[count].name)
		count++;
	while (one->name && (!name || strcmp(one->name, name) != 0))
		one++;
	for (int i = 0; subject_next(); i++) {
		lose = one->name && !lose && subject_now() >= next;
		if (lose)
			next = subject_now() + 0.2;
		use(one->name ? one->open() : ways[i % count].open(), lose);
		lost += lose;
	}
	return lost;
}

#ifdef LIBPQ_FE_H
static inline PGconn *subject_connect(void)
{
	PGconn *connection = PQconnectdb("");

	if (PQstatus(connection) != CONNECTION_OK)
		subject_fail(PQerrorMessage(connection));
	return connection;
}

static inline void subject_query(PGconn *connection, const char *text)
{
	PQclear(PQexec(connection, text));
}
#endif

#ifdef _mysql_h
static inline void subject_options(MYSQL *connection)
{
	my_bool on = 1, off = 0;

	if (getenv("MYSQL_TLS")) {
		mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &on);
		mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
	}
}

static inline MYSQL *subject_connect_with(MYSQL *connection)
{
	subject_options(connection);
	if (!mysql_real_connect(connection, getenv("MYSQL_HOST"), "app", "", "shop", atoi(getenv("MYSQL_PORT")), NULL, 0))
		subject_fail(mysql_error(connection));
	return connection;
}

static inline MYSQL *subject_connect(void)
{
	return subject_connect_with(mysql_init(NULL));
}

static inline void subject_query(MYSQL *connection, const char *text)
{
	if (mysql_query(connection, text))
		subject_fail(mysql_error(connection));
	mysql_free_result(mysql_store_result(connection));
}
#endif

#endif
