// SPDX-License-Identifier: Apache-2.0

// does: forgets rows.Close on an early return, with go-sql-driver
// expect: LEAK L1
// culprit: main.findOrder
// server: mariadb
package main

import (
	"database/sql"

	"connleak.test/subjects/subject"
)

func findOrder(db *sql.DB, locked bool) bool {
	rows, err := db.Query("SELECT seq FROM seq_1_to_3") // CULPRIT
	subject.Must(err)
	for rows.Next() {
		if locked {
			return true
		}
	}
	return false
}

func main() {
	db := subject.MySQL()
	leaked := 0
	for i := 0; subject.Next(); i++ {
		if findOrder(db, i%12 == 0) {
			leaked++
		}
	}
	subject.End(leaked)
}
