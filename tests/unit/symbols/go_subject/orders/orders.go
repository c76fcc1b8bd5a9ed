// SPDX-License-Identifier: Apache-2.0

// Package orders is part of the application although its path has no dot.
package orders

import "runtime"

// Store has methods, as a real one does.
type Store struct{ Depth int }

// Site is inlined into its caller.
func (s *Store) Site() []uintptr { return s.callers() }

//go:noinline
func (s *Store) callers() []uintptr {
	pcs := make([]uintptr, 16)
	return pcs[:runtime.Callers(1, pcs)]
}

// Each calls visit as a callback of generic code.
func Each[T any](items []T, visit func(T)) {
	for _, item := range items {
		visit(item)
	}
}
