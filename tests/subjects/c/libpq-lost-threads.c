/* SPDX-License-Identifier: Apache-2.0
 * does: threads keep their connection in a thread-local variable and end without closing it, beside a living worker
 * expect: LEAK L5
 * culprit: work
 * server: postgresql */
#include <libpq-fe.h>
#include <pthread.h>

#include "subject.h"

static __thread PGconn *mine;

static void *work(void *nothing)
{
	mine = subject_connect();
	for (int i = 0; i < 5; i++)
		subject_query(mine, "SELECT 1"); /* CULPRIT */
	return nothing;
}

int main(void)
{
	PGconn *steady = subject_connect();
	int leaked = 0;

	for (int i = 0; subject_next(); i++) {
		pthread_t thread;

		subject_query(steady, "SELECT 1");
		if (i % 12)
			continue;
		if (pthread_create(&thread, NULL, work, NULL) || pthread_join(thread, NULL))
			subject_fail("no thread");
		leaked++;
	}
	subject_end(leaked);
}
