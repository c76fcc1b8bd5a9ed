/* SPDX-License-Identifier: Apache-2.0
 * does: asks for more rows than both sockets hold and reads none of them
 * expect: LEAK L4
 * culprit: export_orders
 * server: postgresql */
#include <libpq-fe.h>

#include "subject.h"

static void export_orders(void)
{
	PQsendQuery(subject_connect(), "SELECT repeat('x', 1000) FROM generate_series(1, 30000)"); /* CULPRIT */
}

int main(void)
{
	PGconn *steady = subject_connect();
	int leaked = 0;

	for (int i = 0; subject_next(); i++) {
		subject_query(steady, "SELECT 1");
		if (i % 40 == 0 && leaked < 8) {
			export_orders();
			leaked++;
		}
	}
	subject_end(leaked);
}
