// SPDX-License-Identifier: Apache-2.0

// Forgets rows.Close on an early return: the connection never goes back to the pool of database/sql.
//
// Expected: LEAK, L1 never-closed, culprit main.findOrder at the line marked CULPRIT; the connection that the
// pool goes on using is not flagged. With -fixed: no finding.
// Ends by itself and prints its ground truth as one line of JSON. The database comes from PGHOST and the like.
package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	_ "github.com/lib/pq"
)

var fixed = flag.Bool("fixed", false, "close the rows on every path")

var errLocked = errors.New("the order is locked")

func findOrder(db *sql.DB, id int, locked bool) (string, error) {
	rows, err := db.Query("SELECT 'order ' || n FROM generate_series($1::int, $1::int + 2) n", id) // CULPRIT
	if err != nil {
		return "", err
	}
	if *fixed {
		defer rows.Close()
	}
	var name string
	for rows.Next() {
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		if locked {
			return "", errLocked
		}
	}
	return name, rows.Err()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "rows-leak:", err)
	os.Exit(1)
}

func main() {
	duration := flag.Duration("for", 4*time.Second, "how long the locked orders come")
	every := flag.Duration("every", 100*time.Millisecond, "one locked order in this time")
	settle := flag.Duration("settle", 1500*time.Millisecond, "requests without locked orders at the end")
	flag.Parse()

	db, err := sql.Open("postgres", "sslmode=disable")
	if err != nil {
		fail(err)
	}
	leaked := 0
	began := time.Now()
	next := began.Add(*every)
	for id := 0; time.Since(began) < *duration+*settle; id++ {
		locked := time.Now().After(next) && time.Since(began) < *duration
		if locked {
			next = next.Add(*every)
		}
		_, err := findOrder(db, id, locked)
		switch {
		case err == nil:
		case !errors.Is(err, errLocked):
			fail(err)
		case !*fixed:
			leaked++
		}
		time.Sleep(10 * time.Millisecond)
	}
	stats := db.Stats()
	closed := stats.MaxIdleClosed + stats.MaxIdleTimeClosed + stats.MaxLifetimeClosed
	truth := map[string]int64{
		"leaked": int64(leaked),
		"open":   int64(stats.OpenConnections),
		"opened": int64(stats.OpenConnections) + closed,
		"closed": closed,
	}
	if err := json.NewEncoder(os.Stdout).Encode(truth); err != nil {
		fail(err)
	}
	if *fixed {
		db.Close()
	}
}
