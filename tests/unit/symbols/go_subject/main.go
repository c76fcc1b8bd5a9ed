// SPDX-License-Identifier: Apache-2.0

// Prints every frame of some of its own stacks, then waits on standard input. One return address a line:
// ADDRESS go, then innermost first FUNCTION:LINE:FILE of the frames that it stands for.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sort"

	"shop/orders"
)

func show(pcs []uintptr) {
	for i, pc := range pcs {
		if i == 0 {
			continue // the innermost is no return address of a real call
		}
		// One address at a time: CallersFrames then gives what is inlined there too. runtime.Callers gives an
		// inlined caller an address of its own, which is not a return address; those are left to its child.
		frames := runtime.CallersFrames([]uintptr{pc})
		line := fmt.Sprintf("%x go", pc)
		for {
			frame, more := frames.Next()
			line += fmt.Sprintf(" %s:%d:%s", frame.Function, frame.Line, frame.File)
			if !more {
				break
			}
		}
		fmt.Println(line)
	}
}

//go:noinline
func query(store *orders.Store) {
	pcs := store.Site()
	show(pcs)
}

//go:noinline
func sorted(store *orders.Store) {
	done := false
	items := []int{2, 1}
	sort.Slice(items, func(a, b int) bool {
		if !done {
			done = true
			query(store)
		}
		return items[a] < items[b]
	})
}

func main() {
	store := &orders.Store{Depth: 1}
	query(store)
	sorted(store)
	orders.Each([]int{1}, func(int) { query(store) })
	fmt.Println("end")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}
