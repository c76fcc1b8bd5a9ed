/* SPDX-License-Identifier: Apache-2.0
 * does: six connections with prepared statements that come and go; the last used is used next
 * expect: none
 * server: mariadb */
#include <mysql.h>

#include "subject.h"

#define SIZE 6

static void run(MYSQL *connection)
{
	MYSQL_STMT *statement = mysql_stmt_init(connection);
	const char *text = "SELECT seq FROM seq_1_to_20";

	if (mysql_stmt_prepare(statement, text, strlen(text)) || mysql_stmt_execute(statement) ||
	    mysql_stmt_store_result(statement))
		subject_fail(mysql_stmt_error(statement));
	mysql_stmt_close(statement);
}

int main(void)
{
	MYSQL *pool[SIZE];

	for (int i = 0; i < SIZE; i++) {
		pool[i] = subject_connect();
		run(pool[i]);
	}
	for (int i = 0; subject_next(); i++)
		run(pool[i % 50 == 0 ? 1 : 0]);
	subject_end(0);
}
