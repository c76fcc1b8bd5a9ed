/* SPDX-License-Identifier: Apache-2.0
 * Loses connections with a secret all around: in its environment, on its stack, in SQL text and in parameters. Waits for a
 * line on standard input first.
 *
 * Expected: LEAK, L1 never-closed, culprit `spend` at the line marked CULPRIT, and the secret nowhere in what the observer
 * writes. Ends by itself and prints its ground truth as one line of JSON. The database comes from PGHOST and the like. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static __attribute__((noinline)) void spend(const char *secret)
{
	PGconn *connection = PQconnectdb("");
	char own[1024], query[256];
	const char *values[] = {secret};

	if (PQstatus(connection) != CONNECTION_OK) {
		fprintf(stderr, "c-secret: %s", PQerrorMessage(connection));
		exit(1);
	}
	for (size_t at = 0; at + 40 < sizeof(own); at += 40)
		snprintf(own + at, 40, "%s", secret);
	snprintf(query, sizeof(query), "SELECT $1::text, '%s'", secret);
	PQclear(PQexecParams(connection, query, 1, NULL, values, NULL, NULL, 0)); /* CULPRIT */
	/* Or the compiler leaves it out. */
	__asm__ volatile("" : : "r"(own) : "memory");
}

int main(void)
{
	char line[16];
	struct timespec pause = {0, 40000000};

	if (!fgets(line, sizeof(line), stdin))
		return 1;
	for (int i = 0; i < 40; i++) {
		spend(getenv("SECRET"));
		nanosleep(&pause, NULL);
	}
	pause.tv_sec = 1;
	nanosleep(&pause, NULL);
	puts("{\"leaked\": 40}");
	return 0;
}
