/* SPDX-License-Identifier: Apache-2.0
 * does: workers are started one by one, each with a connection of its own that it uses now and then
 * expect: none
 * server: postgresql */
#include <libpq-fe.h>
#include <pthread.h>

#include "subject.h"

#define WORKERS 12

static volatile bool stopping;

static void *work(void *number)
{
	PGconn *connection = subject_connect();

	for (long i = 0; !stopping; i++) {
		if (i < 5 || i % (20 + 10 * (long)number) == 0)
			subject_query(connection, "SELECT 1");
		subject_sleep(0.02);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;
	long started = 0;

	for (int i = 0; subject_next(); i++) {
		if (started == WORKERS || i % 20)
			continue;
		if (pthread_create(&thread, NULL, work, (void *)started++))
			subject_fail("no thread");
	}
	subject_end(0);
}
