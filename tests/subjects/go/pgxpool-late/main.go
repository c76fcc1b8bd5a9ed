// SPDX-License-Identifier: Apache-2.0

// does: jobs keep what they acquired for 1.5 s, 2.5 of them a second, beside short requests: a pgx pool of four is mostly
// does: held by them, others wait up to half a second, all is released
// expect: none
// server: postgresql
package main

import (
	"context"
	"time"

	"connleak.test/subjects/subject"
	"github.com/jackc/pgx/v5/pgxpool"
)

func use(pool *pgxpool.Pool, work time.Duration) {
	conn, err := pool.Acquire(context.Background())
	subject.Must(err)
	defer conn.Release()
	_, err = conn.Exec(context.Background(), "SELECT 1")
	subject.Must(err)
	time.Sleep(work)
}

func main() {
	pool := subject.Pgxpool("pool_max_conns=4")
	subject.Each(func(i int) {
		if i%20 == 0 {
			use(pool, 1500*time.Millisecond)
		} else {
			use(pool, 0)
		}
	})
	subject.Settle()
	subject.End(0)
}
