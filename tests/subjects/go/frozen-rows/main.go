// SPDX-License-Identifier: Apache-2.0

// runs: postgres pgx mysql
// does: each second a request forgets rows.Close on an early return; a pool of six is gone after six, thirty requests wait
// expect: LEAK L2
// culprit: main.findOrder
// needs: probes
// server: postgresql
// server of mysql: mariadb
package main

import (
	"database/sql"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

func findOrder(db *sql.DB, locked bool) bool {
	rows, err := db.Query(subject.Three) // CULPRIT
	subject.Must(err)
	for rows.Next() {
		if locked {
			return true
		}
	}
	return false
}

func main() {
	db := subject.Capped(6)
	var leaked atomic.Int64
	subject.Each(func(i int) {
		if findOrder(db, i%50 == 49) {
			leaked.Add(1)
		}
	})
	subject.End(int(leaked.Load()))
}
