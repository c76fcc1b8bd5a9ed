// SPDX-License-Identifier: Apache-2.0

// runs: pgx mysql
// does: sixteen workers share a pool of six without a pause, 10 ms a query: ten wait at any time, and each is served
// expect: none
// server: postgresql
// server of mysql: mariadb
package main

import (
	"sync"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

func main() {
	db := subject.Capped(6)
	var stopping atomic.Bool
	var all sync.WaitGroup
	for n := 0; n < 16; n++ {
		all.Add(1)
		go func() {
			for !stopping.Load() {
				subject.Query(db, subject.Pause(0.01))
			}
			all.Done()
		}()
	}
	for subject.Next() {
	}
	stopping.Store(true)
	all.Wait()
	subject.End(0)
}
