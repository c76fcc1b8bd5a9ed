// SPDX-License-Identifier: Apache-2.0

// runs: postgres
// does: each second a request's context ends just after it was given a connection, and it returns without closing it: who
// does: used it last is innocent; a pool of six is gone after six, thirty requests wait
// expect: LEAK L11
// or: LEAK L2
// culprit: main.reserve
// needs: probes
// server: postgresql
package main

import (
	"context"
	"database/sql"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

func reserve(ctx context.Context, cancel func(), db *sql.DB) bool {
	conn, err := db.Conn(ctx) // CULPRIT
	subject.Must(err)
	cancel()
	if ctx.Err() != nil {
		return true
	}
	return conn.Close() != nil
}

func main() {
	db := subject.Capped(6)
	var leaked atomic.Int64
	subject.Each(func(i int) {
		if i%50 != 49 {
			subject.Query(db, "SELECT 1")
			return
		}
		ctx, cancel := context.WithCancel(context.Background())
		if reserve(ctx, cancel, db) {
			leaked.Add(1)
		}
	})
	subject.End(int(leaked.Load()))
}
