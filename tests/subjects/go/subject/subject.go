// SPDX-License-Identifier: Apache-2.0

// Package subject is what every subject in Go shares: the pace of its requests, its end, its servers.
package subject

import (
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

var (
	began, lull time.Time
	served      int
)

func seconds() time.Duration {
	if n, err := strconv.ParseFloat(os.Getenv("SUBJECT_SECONDS"), 64); err == nil {
		return time.Duration(n * float64(time.Second))
	}
	return 12 * time.Second
}

// Next is true every 20 ms, with lulls of a second under SUBJECT_BURSTS, until the time is over but for 1.5 s.
func Next() bool {
	if began.IsZero() {
		began = time.Now()
		lull = began
	}
	if os.Getenv("SUBJECT_BURSTS") != "" && time.Since(lull) > 3*time.Second {
		time.Sleep(time.Second)
		lull = time.Now()
	}
	time.Sleep(20 * time.Millisecond)
	served++
	return time.Since(began) < seconds()-1500*time.Millisecond
}

// End is quiet; what is open is closed by the exit alone.
func End(leaked int) {
	time.Sleep(1500 * time.Millisecond)
	json.NewEncoder(os.Stdout).Encode(map[string]int{"leaked": leaked, "requests": served})
	os.Exit(0)
}

// Must ends the program unless the error is nil.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "subject:", err)
		os.Exit(1)
	}
}

// Postgres is a pool over the named driver: "postgres" (lib/pq) or "pgx".
func Postgres(driver string) *sql.DB {
	db, err := sql.Open(driver, "sslmode="+os.Getenv("PGSSLMODE"))
	Must(err)
	return db
}

// MySQL is a pool over go-sql-driver.
func MySQL() *sql.DB {
	config := mysql.NewConfig()
	config.User, config.DBName, config.Net = "app", "shop", "tcp"
	config.Addr = os.Getenv("MYSQL_HOST") + ":" + os.Getenv("MYSQL_PORT")
	if os.Getenv("MYSQL_TLS") != "" {
		config.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	connector, err := mysql.NewConnector(config)
	Must(err)
	return sql.OpenDB(connector)
}

// Query is one request that gives its connection back.
func Query(db *sql.DB, text string) {
	var result any
	Must(db.QueryRowContext(context.Background(), text).Scan(&result))
}
