// SPDX-License-Identifier: Apache-2.0

// Pools of database/sql that do what their input says, one command a line, and then say db.Stats() of each in a line of
// JSON. The driver is made up: its connections lead nowhere.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"
)

type conn struct{}

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("no statements") }
func (conn) Close() error                        { return nil }
func (conn) Begin() (driver.Tx, error)           { return nil, errors.New("no transactions") }

type connector struct{}

func (connector) Connect(context.Context) (driver.Conn, error) { return conn{}, nil }
func (connector) Driver() driver.Driver                        { return nil }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// What the fields are that no method shows.
func field(object interface{}, name string) reflect.Value {
	return reflect.ValueOf(object).Elem().FieldByName(name)
}

func waiting(db *sql.DB) int {
	requests := field(db, "connRequests")
	if requests.Kind() == reflect.Struct {
		requests = requests.Field(0)
	}
	return requests.Len()
}

type pool struct {
	db   *sql.DB
	held []*sql.Conn
	past []uintptr // driverConns that were closed
	kept []*sql.Conn
	busy chan struct{}
	all  sync.WaitGroup
}

func (p *pool) take() {
	held, err := p.db.Conn(context.Background())
	must(err)
	p.held = append(p.held, held)
}

func (p *pool) give() uintptr {
	last := p.held[len(p.held)-1]
	p.held = p.held[:len(p.held)-1]
	at := field(last, "dc").Pointer()
	must(last.Close())
	p.kept = append(p.kept, last)
	return at
}

func (p *pool) work() {
	defer p.all.Done()
	for {
		select {
		case <-p.busy:
			return
		default:
			one, err := p.db.Conn(context.Background())
			must(err)
			must(one.Close())
		}
	}
}

func (p *pool) obey(command string) {
	var name string
	var n int
	fmt.Sscan(command, &name, &n)
	switch name {
	case "limit":
		p.db.SetMaxOpenConns(n)
	case "spare":
		p.db.SetMaxIdleConns(n)
	case "take":
		for i := 0; i < n; i++ {
			p.take()
		}
	case "give":
		for i := 0; i < n; i++ {
			p.give()
		}
	case "drop": // given back, and closed since there are enough spare ones
		for i := 0; i < n; i++ {
			p.past = append(p.past, p.give())
		}
	case "queue": // requests that wait, until their turn comes
		before := waiting(p.db)
		for i := 0; i < n; i++ {
			p.all.Add(1)
			go func() {
				defer p.all.Done()
				one, err := p.db.Conn(context.Background())
				must(err)
				must(one.Close())
			}()
		}
		for waiting(p.db) < before+n {
			time.Sleep(time.Millisecond)
		}
	case "serve": // what is held goes to them
		for i := 0; i < n; i++ {
			p.give()
		}
		p.all.Wait()
	case "lifetime": // milliseconds; who takes one then finds the spare ones too old
		time.Sleep(2 * time.Duration(n) * time.Millisecond)
		p.db.SetConnMaxLifetime(time.Duration(n) * time.Millisecond)
		for p.db.Stats().Idle > 0 {
			p.take()
		}
		p.db.SetConnMaxLifetime(0)
	case "idletime": // milliseconds; the pool looks once a second
		p.db.SetConnMaxIdleTime(time.Duration(n) * time.Millisecond)
		for p.db.Stats().Idle > 0 {
			time.Sleep(time.Millisecond)
		}
		p.db.SetConnMaxIdleTime(0)
	case "busy":
		p.busy = make(chan struct{})
		for i := 0; i < n; i++ {
			p.all.Add(1)
			go p.work()
		}
	case "calm":
		close(p.busy)
		p.all.Wait()
	case "close":
		must(p.db.Close())
	default:
		panic(command)
	}
}

// So that addresses are no numbers, which JSON readers may round.
func hex(at uintptr) string { return fmt.Sprintf("%#x", at) }

func (p *pool) say() map[string]interface{} {
	idle, inUse, closed := []string{}, []string{}, []string{}
	free := field(p.db, "freeConn")
	for i := 0; p.busy == nil && i < free.Len(); i++ {
		idle = append(idle, hex(free.Index(i).Pointer()))
	}
	for _, one := range p.held {
		inUse = append(inUse, hex(field(one, "dc").Pointer()))
	}
	for _, at := range p.past {
		closed = append(closed, hex(at))
	}
	return map[string]interface{}{"address": hex(reflect.ValueOf(p.db).Pointer()), "stats": p.db.Stats(),
		"waiting": waiting(p.db), "idle": idle, "in_use": inUse, "closed": closed}
}

func main() {
	pools := []*pool{{db: sql.OpenDB(connector{})}, {db: sql.OpenDB(connector{})}}
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		// "1 take 3": the pool, the command. The empty line changes nothing.
		if number, command, found := strings.Cut(input.Text(), " "); found {
			pools[number[0]-'0'].obey(command)
		}
		said := []interface{}{}
		for _, one := range pools {
			said = append(said, one.say())
		}
		line, err := json.Marshal(said)
		must(err)
		fmt.Println(string(line))
	}
}
