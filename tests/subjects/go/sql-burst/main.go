// SPDX-License-Identifier: Apache-2.0

// does: bursts over a database/sql pool that keeps ten idle members
// expect: none
// server: postgresql
package main

import (
	"sync"

	"connleak.test/subjects/subject"
)

func main() {
	db := subject.Postgres("pgx")
	db.SetMaxIdleConns(10)
	for i := 0; subject.Next(); i++ {
		size := 1
		if i%100 == 0 {
			size = 10
		}
		var all sync.WaitGroup
		for n := 0; n < size; n++ {
			all.Add(1)
			go func() {
				subject.Query(db, "SELECT pg_sleep(0.005)::text")
				all.Done()
			}()
		}
		all.Wait()
	}
	subject.End(0)
}
