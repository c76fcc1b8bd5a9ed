// SPDX-License-Identifier: Apache-2.0

// Where a pool of pgx keeps its puddle: a row of userspace/pools/pgxpool_layouts.inc, without the version.
package main

import (
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	field, found := reflect.TypeOf(pgxpool.Pool{}).FieldByName("p")
	if !found {
		panic("no field p")
	}
	fmt.Println(field.Offset)
}
