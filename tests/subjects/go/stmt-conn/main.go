// SPDX-License-Identifier: Apache-2.0

// runs: postgres mysql
// does: prepares on a connection of its own and hands on the statement alone: closing that gives no connection back
// expect: LEAK L1
// culprit: main.prepare
// server: postgresql
// server of mysql: mariadb
package main

import (
	"context"
	"database/sql"

	"connleak.test/subjects/subject"
)

func prepare(db *sql.DB) *sql.Stmt {
	conn, err := db.Conn(context.Background()) // ACQUIRED
	subject.Must(err)
	stmt, err := conn.PrepareContext(context.Background(), "SELECT 1")
	subject.Must(err)
	var result any
	subject.Must(stmt.QueryRow().Scan(&result)) // CULPRIT
	return stmt
}

func main() {
	db := subject.Database()
	leaked := 0
	for i := 0; subject.Next(); i++ {
		subject.Query(db, "SELECT 1")
		if i%12 == 0 {
			prepare(db)
			leaked++
		}
	}
	subject.End(leaked)
}
