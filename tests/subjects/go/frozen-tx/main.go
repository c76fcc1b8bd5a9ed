// SPDX-License-Identifier: Apache-2.0

// runs: postgres mysql
// does: each second a request forgets Rollback on an early return; a pool of six is gone after six, thirty requests wait
// expect: LEAK L3
// or: LEAK L2
// culprit: main.placeOrder
// under tls: LEAK L2
// needs under tls: probes
// under late: LEAK L2
// under late: LEAK L3
// under late: SUSPECT L3
// server: postgresql
// server of mysql: mariadb
package main

import (
	"database/sql"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

func placeOrder(db *sql.DB, locked bool) bool {
	tx, err := db.Begin() // ACQUIRED
	subject.Must(err)
	_, err = tx.Exec("SELECT 1") // CULPRIT
	subject.Must(err)
	if locked {
		return true
	}
	subject.Must(tx.Commit())
	return false
}

func main() {
	db := subject.Capped(6)
	var leaked atomic.Int64
	subject.Each(func(i int) {
		if placeOrder(db, i%50 == 49) {
			leaked.Add(1)
		}
	})
	subject.End(int(leaked.Load()))
}
