/* SPDX-License-Identifier: Apache-2.0
 * does: opens a spare beside each report and never uses it
 * expect: SUSPECT L10
 * culprit: open_spare
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

static PGconn *open_spare(void)
{
	PGconn *connection = PQconnectdb(""); /* CULPRIT */

	return connection;
}

int main(void)
{
	PGconn *steady = subject_connect();
	int leaked = 0;

	for (int i = 0; subject_next(); i++) {
		subject_query(steady, "SELECT 1");
		if (i % 25 == 0) {
			open_spare();
			leaked++;
		}
	}
	subject_end(leaked);
}
