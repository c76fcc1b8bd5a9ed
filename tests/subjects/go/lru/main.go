// SPDX-License-Identifier: Apache-2.0

// does: a cache of at most six connections, one for each shard last asked; the oldest is closed for a new one
// expect: none
// server: postgresql
package main

import (
	"database/sql"

	"connleak.test/subjects/subject"
)

func main() {
	type entry struct {
		shard int
		db    *sql.DB
	}
	var cache []entry
	for i := 0; subject.Next(); i++ {
		shard := (i / 7 * 5) % 17
		found := -1
		for n, e := range cache {
			if e.shard == shard {
				found = n
			}
		}
		var e entry
		if found >= 0 {
			e = cache[found]
			cache = append(cache[:found], cache[found+1:]...)
		} else {
			e = entry{shard, subject.Postgres("postgres")}
		}
		cache = append(cache, e)
		if len(cache) > 6 {
			cache[0].db.Close()
			cache = cache[1:]
		}
		subject.Query(e.db, "SELECT 1")
	}
	subject.End(0)
}
