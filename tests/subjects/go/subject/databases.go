// SPDX-License-Identifier: Apache-2.0

package subject

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"os"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

// Three is a query of three rows that every server understands.
const Three = "SELECT 1 UNION SELECT 2 UNION SELECT 3"

// Database is a pool over the driver that the first argument names: "postgres" (lib/pq), "pgx" or "mysql".
func Database() *sql.DB {
	if driver := os.Args[1]; driver != "mysql" {
		return Postgres(driver)
	}
	return MySQL()
}

// Capped is Database with so many slots.
func Capped(size int) *sql.DB {
	db := Database()
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db
}

// Postgres is a pool over the named driver: "postgres" (lib/pq) or "pgx".
func Postgres(driver string) *sql.DB {
	db, err := sql.Open(driver, "sslmode="+os.Getenv("PGSSLMODE"))
	Must(err)
	watch(db)
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
	db := sql.OpenDB(connector)
	watch(db)
	return db
}

// Pgxpool is a pool of pgx with these settings ("pool_max_conns=6").
func Pgxpool(settings string) *pgxpool.Pool {
	pool, err := pgxpool.New(context.Background(), settings)
	Must(err)
	watchPgx(pool)
	return pool
}

// Query is one request that gives its connection back.
func Query(db *sql.DB, text string) {
	var result any
	Must(db.QueryRowContext(context.Background(), text).Scan(&result))
}

// Pause is a query that takes so many seconds on the server.
func Pause(seconds float64) string {
	if len(os.Args) > 1 && os.Args[1] == "mysql" {
		return fmt.Sprintf("SELECT SLEEP(%g)", seconds)
	}
	return fmt.Sprintf("SELECT pg_sleep(%g)::text", seconds)
}
