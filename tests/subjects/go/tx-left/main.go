// SPDX-License-Identifier: Apache-2.0

// runs: postgres mysql
// does: begins a transaction for each order; the early return forgets Rollback
// expect: LEAK L3
// under tls: LEAK L1
// culprit: main.placeOrder
// server: postgresql
// server of mysql: mariadb
package main

import (
	"database/sql"
	"errors"

	"connleak.test/subjects/subject"
)

func placeOrder(db *sql.DB, locked bool) error {
	tx, err := db.Begin() // ACQUIRED
	subject.Must(err)
	if _, err := tx.Exec("SELECT 1"); err != nil { // CULPRIT
		return err
	}
	if locked {
		return errors.New("locked")
	}
	return tx.Commit()
}

func main() {
	db := subject.Database()
	leaked := 0
	for i := 0; subject.Next(); i++ {
		if placeOrder(db, i%12 == 0) != nil {
			leaked++
		}
	}
	subject.End(leaked)
}
