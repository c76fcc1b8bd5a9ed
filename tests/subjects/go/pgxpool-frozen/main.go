// SPDX-License-Identifier: Apache-2.0

// does: each second a request forgets Release; a pgx pool of six is gone after six, thirty requests wait
// expect: LEAK L2
// culprit: main.reserve
// needs: probes
// server: postgresql
package main

import (
	"context"
	"sync/atomic"

	"connleak.test/subjects/subject"
	"github.com/jackc/pgx/v5/pgxpool"
)

func reserve(pool *pgxpool.Pool, locked bool) bool {
	conn, err := pool.Acquire(context.Background()) // ACQUIRED
	subject.Must(err)
	_, err = conn.Exec(context.Background(), "SELECT 1") // CULPRIT
	subject.Must(err)
	if !locked {
		conn.Release()
	}
	return locked
}

func main() {
	pool := subject.Pgxpool("pool_max_conns=6")
	var leaked atomic.Int64
	subject.Each(func(i int) {
		if reserve(pool, i%50 == 49) {
			leaked.Add(1)
		}
	})
	subject.End(int(leaked.Load()))
}
