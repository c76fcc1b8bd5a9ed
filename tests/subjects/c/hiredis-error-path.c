/* SPDX-License-Identifier: Apache-2.0
 * does: a connection for each cache look-up; a miss forgets redisFree
 * expect: LEAK L1
 * culprit: cached
 * server: redis
 * not under: tls (hiredis is built without it) */
#include <hiredis/hiredis.h>

#include "subject.h"

static int leaked;

static void cached(int key)
{
	redisContext *connection = redisConnect(getenv("REDIS_HOST"), atoi(getenv("REDIS_PORT")));
	redisReply *reply;

	if (!connection || connection->err)
		subject_fail("no Redis");
	reply = redisCommand(connection, "GET key:%d", key); /* CULPRIT */
	if (!reply)
		subject_fail("no reply");
	freeReplyObject(reply);
	if (key == 0) {
		leaked++;
		return;
	}
	redisFree(connection);
}

int main(void)
{
	for (int i = 0; subject_next(); i++)
		cached(i % 10);
	subject_end(leaked);
}
