// SPDX-License-Identifier: Apache-2.0

// A pool of ten that a burst filled, used one request at a time afterwards: nine members stay untouched.
//
// Expected: no finding; not_flagged says that the count settled.
// Ends by itself and prints its ground truth as one line of JSON. The database comes from PGHOST and the like.
package main

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	_ "github.com/lib/pq"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, "pool-healthy:", err)
	os.Exit(1)
}

func query(db *sql.DB, text string) {
	rows, err := db.Query(text)
	if err != nil {
		fail(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		fail(err)
	}
}

func main() {
	size := flag.Int("size", 10, "members of the pool")
	duration := flag.Duration("for", 20*time.Second, "how long it is used after the burst")
	flag.Parse()

	db, err := sql.Open("postgres", "sslmode=disable")
	if err != nil {
		fail(err)
	}
	db.SetMaxOpenConns(*size)
	db.SetMaxIdleConns(*size)

	var burst sync.WaitGroup
	for i := 0; i < *size; i++ {
		burst.Add(1)
		go func() {
			defer burst.Done()
			query(db, "SELECT pg_sleep(0.3)")
		}()
	}
	burst.Wait()
	began := time.Now()
	for time.Since(began) < *duration {
		query(db, "SELECT 1")
		time.Sleep(20 * time.Millisecond)
	}
	stats := db.Stats()
	closed := stats.MaxIdleClosed + stats.MaxIdleTimeClosed + stats.MaxLifetimeClosed
	truth := map[string]int64{
		"leaked": 0,
		"open":   int64(stats.OpenConnections),
		"opened": int64(stats.OpenConnections) + closed,
		"closed": closed,
	}
	if err := json.NewEncoder(os.Stdout).Encode(truth); err != nil {
		fail(err)
	}
}
