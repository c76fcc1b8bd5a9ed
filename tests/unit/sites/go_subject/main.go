// SPDX-License-Identifier: Apache-2.0

// Uses database/sql in every way that takes a connection. It is looked at, never run.
package main

import (
	"context"
	"database/sql"
	"fmt"
)

func main() {
	ctx := context.Background()
	db, err := sql.Open("none", "")
	if err != nil {
		fmt.Println(err)
	}
	rows, err := db.QueryContext(ctx, "")
	fmt.Println(rows, err, db.PingContext(ctx))
	result, err := db.ExecContext(ctx, "")
	fmt.Println(result, err)
	tx, err := db.BeginTx(ctx, nil)
	fmt.Println(tx.Commit(), err)
	conn, err := db.Conn(ctx)
	fmt.Println(conn.Close(), err)
	statement, err := db.PrepareContext(ctx, "")
	fmt.Println(statement, err)
	rows, err = statement.QueryContext(ctx)
	fmt.Println(rows, err)
}
