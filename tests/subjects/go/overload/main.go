// SPDX-License-Identifier: Apache-2.0

// runs: honest leaked
// does: 50 requests a second, open loop, want a pool of 8 and wait 1 s for it at most. honest: 250 ms each, so 32 a second
// does: are served, the pool is too small. leaked: 125 ms each, 64 a second would be, but four slots are lost between
// does: the 2nd and the 6th second, which leaves 32
// expect: LEAK L2
// or: SUSPECT L2
// expect of honest: none
// culprit: main.reserve
// needs: probes
// server: postgresql
package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"connleak.test/subjects/subject"
)

const lose = 4

var (
	leaked  = os.Args[1] == "leaked"
	seconds = map[string]float64{"honest": 0.25, "leaked": 0.125}[os.Args[1]]
	lost    atomic.Int64
)

func reserve(ctx context.Context, db *sql.DB, locked bool) error {
	conn, err := db.Conn(ctx) // ACQUIRED
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(context.Background(), subject.Pause(seconds)) // CULPRIT
	if locked && lost.Add(1) <= lose {
		return err
	}
	conn.Close()
	return err
}

func main() {
	db := subject.Postgres("postgres")
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	handle := func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if err := reserve(ctx, db, leaked && r.URL.Path == "/locked"); err != nil {
			subject.Refuse(w)
			return
		}
		fmt.Fprintln(w, "ok")
	}
	subject.Service(handle, func(i int) []string {
		if i >= 100 && i%60 == 40 {
			return []string{"/locked"}
		}
		return []string{"/"}
	})
	if lost.Load() > lose {
		lost.Store(lose)
	}
	subject.End(int(lost.Load()))
}
