// SPDX-License-Identifier: Apache-2.0

// does: a pgx pool keeps eight members as a minimum, one is enough for its load
// expect: none
// server: postgresql
package main

import (
	"context"

	"connleak.test/subjects/subject"
)

func main() {
	pool := subject.Pgxpool("pool_min_conns=8 pool_max_conns=16 pool_health_check_period=500ms")
	for subject.Next() {
		_, err := pool.Exec(context.Background(), "SELECT 1")
		subject.Must(err)
	}
	subject.End(0)
}
