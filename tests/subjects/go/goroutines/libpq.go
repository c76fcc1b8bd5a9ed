// SPDX-License-Identifier: Apache-2.0

package main

/*
#cgo pkg-config: libpq
#include <libpq-fe.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

type libpqConnection struct{ conn *C.PGconn }

var selectOne, empty = C.CString("SELECT 1"), C.CString("")

func (c libpqConnection) query() {
	result := C.PQexec(c.conn, selectOne) // CULPRIT
	if C.PQresultStatus(result) != C.PGRES_TUPLES_OK {
		must(errors.New(C.GoString(C.PQresultErrorMessage(result))))
	}
	C.PQclear(result)
}

func (c libpqConnection) local() string {
	address, err := syscall.Getsockname(int(C.PQsocket(c.conn)))
	must(err)
	inet, known := address.(*syscall.SockaddrInet4)
	if !known {
		must(fmt.Errorf("an address of another family: %v", address))
	}
	return netip.AddrPortFrom(netip.AddrFrom4(inet.Addr), uint16(inet.Port)).String()
}

func (c libpqConnection) close() { C.PQfinish(c.conn) }

func init() {
	drivers["libpq"] = func() connection {
		conn := C.PQconnectdb(empty)
		if C.PQstatus(conn) != C.CONNECTION_OK {
			must(errors.New(C.GoString(C.PQerrorMessage(conn))))
		}
		return libpqConnection{conn}
	}
}
