/* SPDX-License-Identifier: Apache-2.0
 * runs: connect timeout nonblock reconnect fixed
 * does: a connection for each lookup, made in the way that is named; a miss forgets redisFree and loses the pointer.
 * does: fixed: all of the ways in turn, each is freed
 * expect: LEAK L1
 * expect of fixed: none
 * culprit: cached
 * server: redis
 * not under: tls (hiredis is built without it) */
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include "subject.h"

#define ADDRESS getenv("REDIS_HOST"), atoi(getenv("REDIS_PORT"))

static void *by_connect(void)
{
	return redisConnect(ADDRESS);
}

static void *by_timeout(void)
{
	return redisConnectWithTimeout(ADDRESS, (struct timeval){2, 0});
}

/* Waits for the connect with poll, as an event loop does, and is then used like the others. */
static void *by_nonblock(void)
{
	redisContext *connection = redisConnectNonBlock(ADDRESS);
	struct pollfd socket = {connection ? connection->fd : -1, POLLOUT, 0};

	if (connection && poll(&socket, 1, 1000) == 1) {
		fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) & ~O_NONBLOCK);
		connection->flags |= REDIS_BLOCK;
	}
	return connection;
}

/* The context stays, its socket is another one. */
static void *by_reconnect(void)
{
	redisContext *connection = redisConnect(ADDRESS);

	if (connection && redisReconnect(connection) != REDIS_OK)
		subject_fail("no second connection");
	return connection;
}

static void cached(void *handle, bool miss)
{
	redisContext *connection = handle;
	redisReply *reply;

	if (!connection || connection->err)
		subject_fail("no Redis");
	reply = redisCommand(connection, "GET key"); /* CULPRIT */
	if (!reply)
		subject_fail("no reply");
	freeReplyObject(reply);
	if (miss)
		return;
	redisFree(connection);
}

int main(int count, char **arguments)
{
	static const struct subject_way ways[] = {
		{"connect", by_connect},
		{"timeout", by_timeout},
		{"nonblock", by_nonblock},
		{"reconnect", by_reconnect}, {0}
	};

	subject_end(subject_ways(count > 1 ? arguments[1] : NULL, ways, cached));
}
