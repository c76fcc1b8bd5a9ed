// SPDX-License-Identifier: Apache-2.0

// runs: postgres mysql
// does: reports work 1.5 s on rows that stay open, 2.5 of them a second, beside short requests: a pool of four is mostly
// does: held by them, others wait up to half a second, all is given back
// expect: none
// server: postgresql
// server of mysql: mariadb
package main

import (
	"database/sql"
	"time"

	"connleak.test/subjects/subject"
)

func report(db *sql.DB) {
	rows, err := db.Query(subject.Three)
	subject.Must(err)
	defer rows.Close()
	for rows.Next() {
		time.Sleep(500 * time.Millisecond)
	}
}

func main() {
	db := subject.Capped(4)
	subject.Each(func(i int) {
		if i%20 == 0 {
			report(db)
		} else {
			subject.Query(db, "SELECT 1")
		}
	})
	subject.Settle()
	subject.End(0)
}
