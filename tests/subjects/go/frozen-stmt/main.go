// SPDX-License-Identifier: Apache-2.0

// runs: postgres mysql
// does: each second a request prepares on a connection of its own and closes only the statement; a pool of six is gone
// does: after six, thirty requests wait
// expect: LEAK L2
// culprit: main.prepared
// needs: probes
// server: postgresql
// server of mysql: mariadb
package main

import (
	"context"
	"database/sql"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

func prepared(db *sql.DB, locked bool) bool {
	conn, err := db.Conn(context.Background()) // ACQUIRED
	subject.Must(err)
	stmt, err := conn.PrepareContext(context.Background(), "SELECT 1")
	subject.Must(err)
	var result any
	subject.Must(stmt.QueryRow().Scan(&result))
	subject.Must(stmt.Close()) // CULPRIT
	if locked {
		return true
	}
	subject.Must(conn.Close())
	return false
}

func main() {
	db := subject.Capped(6)
	var leaked atomic.Int64
	subject.Each(func(i int) {
		if prepared(db, i%50 == 49) {
			leaked.Add(1)
		}
	})
	subject.End(int(leaked.Load()))
}
