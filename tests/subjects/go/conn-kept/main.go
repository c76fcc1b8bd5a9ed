// SPDX-License-Identifier: Apache-2.0

// runs: pgx mysql
// does: takes a connection of its own from the pool of database/sql and does not close it
// expect: LEAK L1
// culprit: main.lockRow
// server: postgresql
// server of mysql: mariadb
package main

import (
	"context"
	"database/sql"

	"connleak.test/subjects/subject"
)

func lockRow(db *sql.DB) {
	conn, err := db.Conn(context.Background()) // ACQUIRED
	subject.Must(err)
	_, err = conn.ExecContext(context.Background(), "SELECT 1") // CULPRIT
	subject.Must(err)
}

func main() {
	db := subject.Database()
	leaked := 0
	for i := 0; subject.Next(); i++ {
		subject.Query(db, "SELECT 1")
		if i%12 == 0 {
			lockRow(db)
			leaked++
		}
	}
	subject.End(leaked)
}
