// SPDX-License-Identifier: Apache-2.0

// Where the fields of database/sql are in programs of this toolchain: a row of userspace/pools/sql_layouts.inc.
package main

import (
	"database/sql"
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

func main() {
	db := reflect.TypeOf(sql.DB{})
	at := func(t reflect.Type, name string) uintptr {
		field, found := t.FieldByName(name)
		if !found {
			panic("no field " + name)
		}
		return field.Offset
	}
	free, _ := db.FieldByName("freeConn")
	requests, _ := db.FieldByName("connRequests")
	conn := free.Type.Elem().Elem()
	var minor int
	if _, err := fmt.Sscanf(runtime.Version(), "go1.%d", &minor); err != nil {
		panic(err)
	}
	numbers := []interface{}{
		db.Size(), at(db, "waitDuration"), at(db, "connector"), at(db, "mu"), free.Offset, requests.Offset}
	switch {
	case requests.Type.Kind() == reflect.Map:
		numbers = append(numbers, "map")
	case requests.Type.Field(0).Type.Kind() == reflect.Slice:
		numbers = append(numbers, "set")
	default:
		panic("connRequests is something else")
	}
	for _, name := range []string{
		"numOpen", "maxOpen", "waitCount", "maxIdleClosed", "maxIdleTimeClosed", "maxLifetimeClosed"} {
		numbers = append(numbers, at(db, name))
	}
	numbers = append(numbers, conn.Size(), at(conn, "db"), at(conn, "inUse"), at(conn, "dbmuClosed"))
	row := strings.Join(strings.Fields(strings.Trim(fmt.Sprint(numbers), "[]")), ", ")
	fmt.Printf("{%d, {%s}},  // %s\n", minor, row, runtime.Version())
}
