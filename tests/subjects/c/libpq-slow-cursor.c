/* SPDX-License-Identifier: Apache-2.0
 * does: three reports read their cursors a row at a time, with thought between the fetches
 * expect: HELD
 * under tls: none
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

#define REPORTS 3

int main(void)
{
	PGconn *steady = subject_connect(), *report[REPORTS];
	double fetched = 0;

	for (int i = 0; i < REPORTS; i++) {
		report[i] = subject_connect();
		subject_query(report[i], "BEGIN");
		subject_query(report[i], "DECLARE c CURSOR FOR SELECT generate_series(1, 100000)");
	}
	for (int next = 0; subject_next();) {
		subject_query(steady, "SELECT 1");
		if (subject_now() < fetched + 0.6)
			continue;
		fetched = subject_now();
		subject_query(report[next++ % REPORTS], "FETCH 10 FROM c");
	}
	subject_end(0);
}
