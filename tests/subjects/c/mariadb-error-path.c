/* SPDX-License-Identifier: Apache-2.0
 * does: a connection for each lookup; the error path forgets mysql_close
 * expect: LEAK L1
 * culprit: lookup
 * server: mariadb */
#include <mysql.h>

#include "subject.h"

static int leaked;

static void lookup(int locked)
{
	MYSQL *connection = subject_connect();

	if (mysql_query(connection, "SELECT 1")) /* CULPRIT */
		subject_fail(mysql_error(connection));
	mysql_free_result(mysql_store_result(connection));
	if (locked) {
		leaked++;
		return;
	}
	mysql_close(connection);
}

int main(void)
{
	for (int i = 0; subject_next(); i++)
		lookup(i % 10 == 0);
	subject_end(leaked);
}
