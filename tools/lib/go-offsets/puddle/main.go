// SPDX-License-Identifier: Apache-2.0

// Where the fields of a pool of puddle are: a row of userspace/pools/puddle_layouts.inc, without the version.
package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/puddle/v2"
)

func main() {
	pool := reflect.TypeOf(puddle.Pool[*int]{})
	at := func(t reflect.Type, name string) interface{} {
		if field, found := t.FieldByName(name); found {
			return field.Offset
		}
		return "none"
	}
	all, _ := pool.FieldByName("allResources")
	resource := all.Type.Elem().Elem()
	numbers := []interface{}{pool.Size()}
	if cond, found := pool.FieldByName("cond"); found {
		numbers = append(numbers, cond.Offset, at(cond.Type.Elem(), "L"))
	} else {
		numbers = append(numbers, at(pool, "mux"), "none")
	}
	numbers = append(numbers, at(pool, "acquireSem"))
	if semaphore, found := pool.FieldByName("acquireSem"); found {
		weighted := semaphore.Type.Elem()
		waiters, _ := weighted.FieldByName("waiters")
		length, _ := waiters.Type.FieldByName("len")
		numbers = append(numbers, at(weighted, "size"), at(weighted, "cur"), waiters.Offset+length.Offset)
	} else {
		numbers = append(numbers, "none", "none", "none")
	}
	for _, name := range []string{"allResources", "maxSize", "acquireCount", "acquireDuration", "emptyAcquireCount",
		"emptyAcquireWaitTime"} {
		numbers = append(numbers, at(pool, name))
	}
	numbers = append(numbers, resource.Size(), at(resource, "pool"), at(resource, "status"))
	fmt.Println(strings.Join(strings.Fields(strings.Trim(fmt.Sprint(numbers), "[]")), ", "))
}
