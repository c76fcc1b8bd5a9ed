// SPDX-License-Identifier: Apache-2.0

// runs: pgx mysql
// does: each second a request takes a connection of its own and waits, with it, for a message that never comes; a pool of
// does: six is gone after six, the other requests wait
// expect: LEAK L2
// culprit: main.listen
// needs: probes
// server: postgresql
// server of mysql: mariadb
package main

import (
	"context"
	"database/sql"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

var (
	held     atomic.Int64
	messages = make(chan string)
)

func listen(db *sql.DB) {
	conn, err := db.Conn(context.Background()) // ACQUIRED
	subject.Must(err)
	defer conn.Close()
	_, err = conn.ExecContext(context.Background(), "SELECT 1") // CULPRIT
	subject.Must(err)
	held.Add(1)
	<-messages
}

func main() {
	db := subject.Capped(6)
	subject.Each(func(i int) {
		if i%50 == 49 {
			listen(db)
		} else {
			subject.Query(db, "SELECT 1")
		}
	})
	subject.End(int(held.Load()))
}
