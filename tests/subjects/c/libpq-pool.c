/* SPDX-License-Identifier: Apache-2.0
 * does: a pool of ten: a burst uses them all, then the last returned is taken first
 * expect: none
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

#define SIZE 10

int main(void)
{
	PGconn *pool[SIZE] = {};

	for (int i = 0; subject_next(); i++) {
		for (int busy = 0; busy < (i % 200 == 0 ? SIZE : 1 + i % 2); busy++) {
			if (!pool[busy])
				pool[busy] = subject_connect();
			subject_query(pool[busy], "SELECT 1");
		}
	}
	subject_end(0);
}
