// SPDX-License-Identifier: Apache-2.0

// Pools of pgx that do what their input says, one command a line, and then say Stat() of each in a line of JSON. The server
// is made up: it lets everybody in and answers every query with nothing.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func serve(client net.Conn) {
	defer client.Close()
	backend := pgproto3.NewBackend(client, client)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	for {
		backend.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if backend.Flush() != nil {
			return
		}
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if _, ended := message.(*pgproto3.Terminate); ended {
			return
		}
		backend.Send(&pgproto3.EmptyQueryResponse{})
	}
}

type pool struct {
	db     *pgxpool.Pool
	held   []*pgxpool.Conn
	busy   chan struct{}
	all    sync.WaitGroup
	server sync.Mutex // while it is locked nobody is let in
}

func open(limit int32) *pool {
	p := &pool{}
	config, err := pgxpool.ParseConfig("host=nowhere sslmode=disable user=shop")
	must(err)
	config.MaxConns = limit
	config.ConnConfig.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
	config.ConnConfig.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		p.server.Lock()
		p.server.Unlock()
		here, there := net.Pipe()
		go serve(there)
		return here, nil
	}
	p.db, err = pgxpool.NewWithConfig(context.Background(), config)
	must(err)
	return p
}

func (p *pool) acquire() *pgxpool.Conn {
	one, err := p.db.Acquire(context.Background())
	must(err)
	return one
}

// The puddle.Pool of the pool.
func (p *pool) puddle() reflect.Value { return reflect.ValueOf(p.db).Elem().FieldByName("p").Elem() }

// -1: this version of puddle has no list of them.
func (p *pool) waiting() int64 {
	semaphore := p.puddle().FieldByName("acquireSem")
	if !semaphore.IsValid() {
		return -1
	}
	return semaphore.Elem().FieldByName("waiters").FieldByName("len").Int()
}

func (p *pool) background(n int, until func() bool) {
	for i := 0; i < n; i++ {
		p.all.Add(1)
		go func() {
			defer p.all.Done()
			p.acquire().Release()
		}()
	}
	for !until() {
		time.Sleep(time.Millisecond)
	}
}

// Connections are given back by goroutines of the pool.
func (p *pool) settle() {
	p.all.Wait()
	for p.db.Stat().AcquiredConns() != int32(len(p.held)) || p.db.Stat().ConstructingConns() != 0 {
		time.Sleep(time.Millisecond)
	}
}

func (p *pool) obey(command string) {
	var name string
	var n int
	fmt.Sscan(command, &name, &n)
	switch name {
	case "take":
		for i := 0; i < n; i++ {
			p.held = append(p.held, p.acquire())
		}
	case "queue": // requests that wait, until their turn comes
		before := p.waiting()
		if before < 0 {
			p.background(n, func() bool { time.Sleep(100 * time.Millisecond); return true })
		} else {
			p.background(n, func() bool { return p.waiting() == before+int64(n) })
		}
	case "open": // connections that are not let in
		p.server.Lock()
		p.background(n, func() bool { return p.db.Stat().ConstructingConns() == int32(n) })
	case "let":
		p.server.Unlock()
		p.settle()
	case "serve": // what is held goes to them
		for i := 0; i < n; i++ {
			p.held[len(p.held)-1].Release()
			p.held = p.held[:len(p.held)-1]
		}
		p.settle()
	case "busy":
		p.busy = make(chan struct{})
		for i := 0; i < n; i++ {
			p.all.Add(1)
			go func() {
				defer p.all.Done()
				for {
					select {
					case <-p.busy:
						return
					default:
						p.acquire().Release()
					}
				}
			}()
		}
	case "calm":
		close(p.busy)
		p.settle()
	default:
		panic(command)
	}
}

func hex(at uintptr) string { return fmt.Sprintf("%#x", at) }

func (p *pool) say() map[string]interface{} {
	stat := p.db.Stat()
	said := map[string]interface{}{"MaxOpenConnections": stat.MaxConns(), "OpenConnections": stat.TotalConns(),
		"InUse": stat.AcquiredConns(), "Idle": stat.IdleConns(), "Opening": stat.ConstructingConns(),
		"AcquireCount": stat.AcquireCount(), "AcquireDuration": stat.AcquireDuration(),
		"WaitCount": stat.EmptyAcquireCount()}
	// From puddle 2.2.2 on; pgx shows it a little later.
	if waited := p.puddle().FieldByName("emptyAcquireWaitTime"); waited.IsValid() {
		said["WaitDuration"] = waited.Int()
	}
	inUse := []string{}
	for _, one := range p.held {
		inUse = append(inUse, hex(reflect.ValueOf(one).Elem().FieldByName("res").Pointer()))
	}
	return map[string]interface{}{"address": hex(reflect.ValueOf(p.db).Pointer()), "stats": said, "waiting": p.waiting(),
		"in_use": inUse}
}

func main() {
	pools := []*pool{open(4), open(7)}
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
