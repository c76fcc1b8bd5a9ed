// SPDX-License-Identifier: Apache-2.0

// Package subject is what every subject in Go shares: the pace of its requests, its end, its servers, its pools' numbers.
package subject

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

var (
	began, lull time.Time
	served      int
	inFlight    atomic.Int64
	refused     atomic.Int64
)

// Most is how many requests of Each are under way at once.
const Most = 30

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

// Each starts a request at every Next, each in a goroutine of its own; what comes while Most are under way is turned away.
func Each(request func(i int)) {
	for i := 0; Next(); i++ {
		if inFlight.Add(1) > Most {
			inFlight.Add(-1)
			continue
		}
		go func(i int) {
			defer inFlight.Add(-1)
			request(i)
		}(i)
	}
}

// Settle waits until no request of Each is under way.
func Settle() {
	for inFlight.Load() > 0 {
		time.Sleep(5 * time.Millisecond)
	}
}

// End is quiet; what is open is closed by the exit alone.
func End(leaked int) {
	time.Sleep(1500 * time.Millisecond)
	truth := map[string]any{"leaked": leaked, "requests": served, "refused": refused.Load(), "pools": numbers()}
	json.NewEncoder(os.Stdout).Encode(truth)
	os.Exit(0)
}

// Must ends the program unless the error is nil.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "subject:", err)
		os.Exit(1)
	}
}
