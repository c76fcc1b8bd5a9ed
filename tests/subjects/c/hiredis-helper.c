/* SPDX-License-Identifier: Apache-2.0
 * does: starts a helper while a cache connection is open (hiredis does not mark it close-on-exec), then frees it
 * expect: LEAK L6
 * culprit: main
 * server: redis
 * not under: tls (hiredis is built without it) */
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/wait.h>

#include "subject.h"

static redisContext *cached(void)
{
	redisContext *connection = redisConnect(getenv("REDIS_HOST"), atoi(getenv("REDIS_PORT")));

	if (!connection || connection->err)
		subject_fail("no Redis");
	freeReplyObject(redisCommand(connection, "GET key"));
	return connection;
}

int main(void)
{
	redisContext *connection = cached(), *other = cached();
	pid_t helper = 0;

	for (int i = 0; subject_next(); i++) {
		freeReplyObject(redisCommand(other, "GET key"));
		if (i == 350) {
			helper = vfork(); /* CULPRIT */
			if (helper < 0)
				subject_fail("no helper");
			if (helper == 0) {
				execlp("sleep", "sleep", "60", (char *)NULL);
				_exit(1);
			}
		}
		if (i == 380)
			redisFree(connection);
	}
	subject_sleep(1.5);
	kill(helper, SIGTERM);
	waitpid(helper, NULL, 0);
	subject_end(1);
}
