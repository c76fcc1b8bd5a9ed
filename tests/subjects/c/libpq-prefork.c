/* SPDX-License-Identifier: Apache-2.0
 * does: a parent loads its application with a connection, forks workers that inherit it unused, and closes its own
 * expect: none
 * server: postgresql */
#include <libpq-fe.h>
#include <signal.h>
#include <sys/wait.h>

#include "subject.h"

#define WORKERS 4

static void work(void)
{
	PGconn *connection = subject_connect();

	while (subject_next())
		subject_query(connection, "SELECT 1");
	PQfinish(connection);
	_exit(0);
}

int main(void)
{
	PGconn *preload = subject_connect();
	int status;

	subject_query(preload, "SELECT 1");
	for (int i = 0; i < WORKERS; i++) {
		pid_t child = fork();

		if (child < 0)
			subject_fail("no fork");
		if (child == 0) {
			close(PQsocket(preload));
			work();
		}
	}
	PQfinish(preload);
	while (subject_next())
		;
	while (wait(&status) > 0)
		if (status)
			subject_fail("a worker failed");
	subject_end(0);
}
