// SPDX-License-Identifier: Apache-2.0

// does: a pool for each of twelve tenants, each with a user name of its own, made when the tenant first comes
// expect: none
// server: postgresql
package main

import (
	"database/sql"
	"fmt"
	"os"

	"connleak.test/subjects/subject"
)

func main() {
	var tenants []*sql.DB
	for i := 0; subject.Next(); i++ {
		if len(tenants) < 12 && i%25 == 0 {
			db, err := sql.Open("postgres", fmt.Sprintf("user=tenant%d sslmode=%s", len(tenants), os.Getenv("PGSSLMODE")))
			subject.Must(err)
			tenants = append(tenants, db)
		}
		subject.Query(tenants[i%len(tenants)], "SELECT 1")
	}
	subject.End(0)
}
