// SPDX-License-Identifier: Apache-2.0

// runs: postgres mysql
// does: two pools of four to one database under the same load; one loses a slot each second until none is left and its
// does: requests wait, the other goes on
// expect: LEAK L2
// culprit: main.export
// needs: probes
// server: postgresql
// server of mysql: mariadb
package main

import (
	"database/sql"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

func export(db *sql.DB, locked bool) bool {
	rows, err := db.Query(subject.Three) // CULPRIT
	subject.Must(err)
	if locked {
		return true
	}
	subject.Must(rows.Close())
	return false
}

func main() {
	orders, exports := subject.Capped(4), subject.Capped(4)
	var leaked, waiting atomic.Int64
	subject.Each(func(i int) {
		subject.Query(orders, "SELECT 1")
		if waiting.Load() >= subject.Most/2 { // the others go on
			return
		}
		waiting.Add(1)
		if export(exports, i%50 == 49) {
			leaked.Add(1)
		}
		waiting.Add(-1)
	})
	subject.End(int(leaked.Load()))
}
