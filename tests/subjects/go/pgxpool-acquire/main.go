// SPDX-License-Identifier: Apache-2.0

// does: Acquire without Release on one path of a pgx pool that is large enough
// expect: LEAK L1
// culprit: main.reserve
// server: postgresql
package main

import (
	"context"

	"connleak.test/subjects/subject"
	"github.com/jackc/pgx/v5/pgxpool"
)

func reserve(pool *pgxpool.Pool) {
	conn, err := pool.Acquire(context.Background()) // ACQUIRED
	subject.Must(err)
	_, err = conn.Exec(context.Background(), "SELECT 1") // CULPRIT
	subject.Must(err)
}

func main() {
	pool := subject.Pgxpool("pool_max_conns=90")
	leaked := 0
	for i := 0; subject.Next(); i++ {
		_, err := pool.Exec(context.Background(), "SELECT 1")
		subject.Must(err)
		if i%12 == 0 {
			reserve(pool)
			leaked++
		}
	}
	subject.End(leaked)
}
