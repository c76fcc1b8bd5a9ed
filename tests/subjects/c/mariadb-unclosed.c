/* SPDX-License-Identifier: Apache-2.0
 * runs: connect placed start reconnect fixed
 * does: a connection for each lookup, made in the way that is named; the error path forgets mysql_close and loses the
 * does: pointer. fixed: all of the ways in turn, each is closed
 * expect: LEAK L1
 * expect of fixed: none
 * culprit: lookup
 * server: mariadb */
#include <mysql.h>
#include <poll.h>

#include "subject.h"

static void *by_connect(void)
{
	return subject_connect();
}

/* The handle is the caller's memory: mysql_close does not free it. */
static void *by_placed(void)
{
	MYSQL *connection = malloc(sizeof(*connection));

	if (!connection || !mysql_init(connection))
		subject_fail("no memory");
	return subject_connect_with(connection);
}

/* What a program with an event loop of its own does. */
static void *by_start(void)
{
	MYSQL *connection = mysql_init(NULL), *done = NULL;
	int waits;

	mysql_options(connection, MYSQL_OPT_NONBLOCK, NULL);
	subject_options(connection);
	waits = mysql_real_connect_start(&done, connection, getenv("MYSQL_HOST"), "app", "", "shop",
					 atoi(getenv("MYSQL_PORT")), NULL, 0);
	while (waits) {
		struct pollfd socket = {mysql_get_socket(connection), waits & MYSQL_WAIT_WRITE ? POLLOUT : POLLIN, 0};

		poll(&socket, 1, 1000);
		waits = mysql_real_connect_cont(&done, connection, waits);
	}
	if (!done)
		subject_fail(mysql_error(connection));
	return connection;
}

/* The handle stays, its socket is another one: the server ended the first. */
static void *by_reconnect(void)
{
	MYSQL *connection = mysql_init(NULL);
	my_bool on = 1;

	mysql_options(connection, MYSQL_OPT_RECONNECT, &on);
	subject_connect_with(connection);
	if (!mysql_query(connection, "KILL CONNECTION_ID()"))
		mysql_free_result(mysql_store_result(connection));
	if (mysql_ping(connection))
		subject_fail(mysql_error(connection));
	return connection;
}

static void lookup(void *handle, bool locked)
{
	MYSQL *connection = handle;

	if (mysql_query(connection, "SELECT 1")) /* CULPRIT */
		subject_fail(mysql_error(connection));
	mysql_free_result(mysql_store_result(connection));
	if (locked)
		return;
	mysql_close(connection);
}

int main(int count, char **arguments)
{
	static const struct subject_way ways[] = {
		{"connect", by_connect},
		{"placed", by_placed},
		{"start", by_start},
		{"reconnect", by_reconnect}, {0}
	};

	subject_end(subject_ways(count > 1 ? arguments[1] : NULL, ways, lookup));
}
