// SPDX-License-Identifier: Apache-2.0

// does: a MariaDB pool whose members live two seconds, under parallel load
// expect: none
// server: mariadb
package main

import (
	"sync"
	"time"

	"connleak.test/subjects/subject"
)

func main() {
	db := subject.MySQL()
	db.SetMaxIdleConns(8)
	db.SetConnMaxLifetime(2 * time.Second)
	for i := 0; subject.Next(); i++ {
		var all sync.WaitGroup
		for n := 0; n < 1+i%8; n++ {
			all.Add(1)
			go func() {
				subject.Query(db, "SELECT 1")
				all.Done()
			}()
		}
		all.Wait()
	}
	subject.End(0)
}
