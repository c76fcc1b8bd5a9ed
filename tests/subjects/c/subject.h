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
static inline MYSQL *subject_connect(void)
{
	MYSQL *connection = mysql_init(NULL);
	my_bool on = 1, off = 0;

	if (getenv("MYSQL_TLS")) {
		mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &on);
		mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
	}
	if (!mysql_real_connect(connection, getenv("MYSQL_HOST"), "app", "", "shop", atoi(getenv("MYSQL_PORT")), NULL, 0))
		subject_fail(mysql_error(connection));
	return connection;
}

static inline void subject_query(MYSQL *connection, const char *text)
{
	if (mysql_query(connection, text))
		subject_fail(mysql_error(connection));
	mysql_free_result(mysql_store_result(connection));
}
#endif

#endif
