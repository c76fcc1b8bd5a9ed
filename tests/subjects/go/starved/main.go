// SPDX-License-Identifier: Apache-2.0

// does: a web service over a pool of five loses a slot now and then until none is left; its requests then time out
// expect: LEAK L2
// or: LEAK L1
// culprit: main.order
// server: postgresql
package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"connleak.test/subjects/subject"
)

var lost atomic.Int64

func order(ctx context.Context, db *sql.DB, locked bool) error {
	rows, err := db.QueryContext(ctx, "SELECT generate_series(1, 3)") // CULPRIT
	if err != nil {
		return err
	}
	if locked {
		return nil
	}
	for rows.Next() {
	}
	return rows.Close()
}

func main() {
	db := subject.Postgres("postgres")
	db.SetMaxOpenConns(5)
	db.SetMaxIdleConns(5)
	handle := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/locked" { // what it read lives on with the request's context gone
			if order(context.Background(), db, true) == nil {
				lost.Add(1)
			}
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 400*time.Millisecond)
		defer cancel()
		if err := order(ctx, db, false); err != nil {
			subject.Refuse(w)
			return
		}
		fmt.Fprintln(w, "ok")
	}
	subject.Service(handle, func(i int) []string {
		if i >= 250 && i%15 == 0 {
			return []string{"/", "/locked"}
		}
		return []string{"/"}
	})
	subject.End(int(lost.Load()))
}
