// SPDX-License-Identifier: Apache-2.0

package subject

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Stats is what a pool says of itself at one instant; on SIGUSR1 the program prints a line of JSON for each of its pools.
type Stats struct {
	Pool        int       `json:"pool"` // in the order in which they were made, from 1
	Address     string    `json:"address"`
	At          time.Time `json:"at"`
	MaxOpen     int       `json:"max_open"`
	Open        int       `json:"open"`
	InUse       int       `json:"in_use"`
	Idle        int       `json:"idle"`
	WaitCount   int64     `json:"wait_count"`
	WaitSeconds float64   `json:"wait_seconds"`
}

var pools struct {
	sync.Mutex
	numbers []func() Stats
}

func numbers() []Stats {
	pools.Lock()
	defer pools.Unlock()
	all := []Stats{}
	for n, read := range pools.numbers {
		stats := read()
		stats.Pool, stats.At = n+1, time.Now().UTC()
		all = append(all, stats)
	}
	return all
}

func add(read func() Stats) {
	pools.Lock()
	defer pools.Unlock()
	pools.numbers = append(pools.numbers, read)
	if len(pools.numbers) > 1 {
		return
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			for _, stats := range numbers() {
				json.NewEncoder(os.Stdout).Encode(stats)
			}
		}
	}()
}

func watch(db *sql.DB) {
	add(func() Stats {
		s := db.Stats()
		return Stats{Address: fmt.Sprintf("%p", db), MaxOpen: s.MaxOpenConnections, Open: s.OpenConnections, InUse: s.InUse,
			Idle: s.Idle, WaitCount: s.WaitCount, WaitSeconds: s.WaitDuration.Seconds()}
	})
}

// pgx counts a wait when it is over, and the time of every acquire.
func watchPgx(pool *pgxpool.Pool) {
	add(func() Stats {
		s := pool.Stat()
		return Stats{Address: fmt.Sprintf("%p", pool), MaxOpen: int(s.MaxConns()), Open: int(s.TotalConns()),
			InUse: int(s.AcquiredConns()), Idle: int(s.IdleConns()), WaitCount: s.EmptyAcquireCount(),
			WaitSeconds: s.AcquireDuration().Seconds()}
	})
}
