// SPDX-License-Identifier: Apache-2.0

// Loses connections, each opened in one goroutine and used last in another one, and says in which: for each its
// address, {"127.0.0.1:40000": {"opened": 18, "used": 19}}, as one line of JSON. The argument is the driver, pgx or,
// where it was built with cgo, libpq. With -told it begins at a line of its input and ends where that ends. The server
// comes from PGHOST and the like.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	connections = 30
	warmUp      = 5
)

type connection interface {
	query()
	local() string
	close()
}

type pgxConnection struct{ conn *pgx.Conn }

func (c pgxConnection) query() {
	_, err := c.conn.Exec(context.Background(), "SELECT 1")
	must(err)
}
func (c pgxConnection) local() string { return c.conn.PgConn().Conn().LocalAddr().String() }
func (c pgxConnection) close()        { must(c.conn.Close(context.Background())) }

var drivers = map[string]func() connection{
	"pgx": func() connection {
		conn, err := pgx.Connect(context.Background(), "sslmode=disable")
		must(err)
		return pgxConnection{conn}
	},
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "goroutines:", err)
		os.Exit(1)
	}
}

// self is the id of the current goroutine.
func self() (id int) {
	text := make([]byte, 64)
	_, err := fmt.Sscanf(string(text[:runtime.Stack(text, false)]), "goroutine %d ", &id)
	must(err)
	return id
}

// within runs it in a goroutine of its own, whose id it gives back.
func within(run func()) int {
	id := make(chan int)
	go func() {
		run()
		id <- self()
	}()
	return <-id
}

//go:noinline
func lose(c connection) {
	c.query()
}

func main() {
	told := flag.Bool("told", false, "wait for what the input says")
	flag.Parse()
	open, known := drivers[flag.Arg(0)]
	if !known {
		must(fmt.Errorf("built without the driver %q", flag.Arg(0)))
	}
	input := bufio.NewReader(os.Stdin)
	if *told {
		_, err := input.ReadString('\n')
		must(err)
	}
	// An observer that started with the program knows it by then.
	for i := 0; i < warmUp; i++ {
		c := open()
		time.Sleep(100 * time.Millisecond)
		c.query()
		c.close()
	}
	type ids struct {
		Opened int `json:"opened"`
		Used   int `json:"used"`
	}
	said := map[string]ids{}
	for i := 0; i < connections; i++ {
		var c connection
		opened := within(func() { c = open() })
		within(c.query)
		used := within(func() { lose(c) })
		said[c.local()] = ids{opened, used}
		time.Sleep(60 * time.Millisecond)
	}
	if *told {
		_, err := io.Copy(io.Discard, input)
		must(err)
	} else {
		time.Sleep(1500 * time.Millisecond)
	}
	must(json.NewEncoder(os.Stdout).Encode(said))
	os.Exit(0)
}
