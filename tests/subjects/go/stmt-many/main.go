// SPDX-License-Identifier: Apache-2.0

// runs: postgres mysql
// does: prepares a statement for every tenth request and never closes it: statements pile up, each gives its slot back
// expect: none
// server: postgresql
// server of mysql: mariadb
package main

import (
	"fmt"

	"connleak.test/subjects/subject"
)

func main() {
	db := subject.Capped(6)
	subject.Each(func(i int) {
		if i%10 != 0 {
			subject.Query(db, "SELECT 1")
			return
		}
		stmt, err := db.Prepare(fmt.Sprintf("SELECT %d", i))
		subject.Must(err)
		var result any
		subject.Must(stmt.QueryRow().Scan(&result))
	})
	subject.Settle()
	subject.End(0)
}
