/* SPDX-License-Identifier: Apache-2.0
 * does: eight connections, opened as the load rose; one of them is enough from then on
 * expect: none
 * server: redis
 * not under: tls (hiredis is built without it) */
#include <hiredis/hiredis.h>

#include "subject.h"

#define SIZE 8

int main(void)
{
	redisContext *pool[SIZE];
	int open = 0;

	for (int i = 0; subject_next(); i++) {
		if (open < SIZE && i % 10 == 0) {
			pool[open] = redisConnect(getenv("REDIS_HOST"), atoi(getenv("REDIS_PORT")));
			if (!pool[open] || pool[open]->err)
				subject_fail("no Redis");
			open++;
		}
		for (int busy = 0; busy < (open < SIZE ? open : 1); busy++)
			redisAppendCommand(pool[busy], "INCR counter");
		for (int busy = 0; busy < (open < SIZE ? open : 1); busy++) {
			redisReply *reply;

			if (redisGetReply(pool[busy], (void **)&reply))
				subject_fail("no reply");
			freeReplyObject(reply);
		}
	}
	subject_end(0);
}
