// SPDX-License-Identifier: Apache-2.0

// does: a web service under parallel load over a pool; one handler forgets rows.Close when the order is locked
// expect: LEAK L1
// culprit: main.order
// server: postgresql
package main

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"connleak.test/subjects/subject"
)

var leaked atomic.Int64

func order(db *sql.DB, locked bool) {
	rows, err := db.Query("SELECT generate_series(1, 3)") // CULPRIT
	subject.Must(err)
	for rows.Next() {
		if locked {
			leaked.Add(1)
			return
		}
	}
}

func main() {
	db := subject.Postgres("postgres")
	db.SetMaxIdleConns(5)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		order(db, r.URL.Path == "/locked")
		fmt.Fprintln(w, "ok")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	subject.Must(err)
	go http.Serve(listener, nil)
	get := func(path string) {
		answer, err := http.Get("http://" + listener.Addr().String() + path)
		subject.Must(err)
		answer.Body.Close()
	}
	for i := 0; subject.Next(); i++ {
		done := make(chan bool)
		for client := 0; client < 1+i%4; client++ {
			go func() {
				get("/")
				done <- true
			}()
		}
		for client := 0; client < 1+i%4; client++ {
			<-done
		}
		if i%12 == 0 {
			get("/locked")
		}
	}
	subject.End(int(leaked.Load()))
}
