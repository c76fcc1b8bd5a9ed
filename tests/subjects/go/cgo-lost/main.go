// SPDX-License-Identifier: Apache-2.0

// does: libpq by way of cgo, a connection for each order; one path in 25 forgets PQfinish
// expect: LEAK L1
// culprit: main.order
// server: postgresql
package main

/*
#cgo pkg-config: libpq
#include <libpq-fe.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"unsafe"

	"connleak.test/subjects/subject"
)

func connect() *C.PGconn {
	empty := C.CString("")
	defer C.free(unsafe.Pointer(empty))
	conn := C.PQconnectdb(empty)
	if C.PQstatus(conn) != C.CONNECTION_OK {
		subject.Must(errors.New(C.GoString(C.PQerrorMessage(conn))))
	}
	return conn
}

func order(query *C.char, forget bool) {
	conn := connect()
	result := C.PQexec(conn, query) // CULPRIT
	C.PQclear(result)
	if !forget {
		C.PQfinish(conn)
	}
}

func main() {
	query := C.CString("SELECT 1")
	leaked := 0
	for i := 0; subject.Next(); i++ {
		order(query, i%25 == 1)
		if i%25 == 1 {
			leaked++
		}
	}
	subject.End(leaked)
}
