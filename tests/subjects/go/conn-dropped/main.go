// SPDX-License-Identifier: Apache-2.0

// does: a connection for each order; one path forgets it, and the collector closes what it finds
// expect: LEAK L8
// or: LEAK L1
// culprit: main.order
// server: postgresql
// not under: unix (who closes is seen only where programs may be attached to functions)
package main

import (
	"context"
	"runtime"

	"connleak.test/subjects/subject"
	"github.com/jackc/pgx/v5"
)

func order(forget bool) {
	conn, err := pgx.Connect(context.Background(), "")
	subject.Must(err)
	_, err = conn.Exec(context.Background(), "SELECT 1") // CULPRIT
	subject.Must(err)
	if !forget {
		subject.Must(conn.Close(context.Background()))
	}
}

func main() {
	leaked := 0
	for i := 0; subject.Next(); i++ {
		order(i%100 == 1)
		if i%100 == 1 {
			leaked++
		}
		if i%100 == 99 {
			runtime.GC() // as the garbage of a busy program would
		}
	}
	subject.End(leaked)
}
