// SPDX-License-Identifier: Apache-2.0

// does: one connection for each session of a chat, open as long as the session is
// expect: none
// server: postgresql
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"

	"connleak.test/subjects/subject"
)

// A line is a message; the session's connection is used for the first few only.
func serve(session net.Conn) {
	db := subject.Postgres("postgres")
	defer db.Close()
	lines := bufio.NewScanner(session)
	for n := 0; lines.Scan(); n++ {
		if n < 3 {
			subject.Query(db, "SELECT 1")
		}
		fmt.Fprintln(session, "ok")
	}
}

func main() {
	if address := os.Getenv("SUBJECT_CLIENT"); address != "" {
		var sessions []net.Conn
		for i := 0; subject.Next(); i++ {
			if i%12 == 0 {
				session, err := net.Dial("tcp", address)
				subject.Must(err)
				sessions = append(sessions, session)
			}
			fmt.Fprintln(sessions[i%len(sessions)], "hello")
			fmt.Fprintln(sessions[len(sessions)-1], "hello")
		}
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	subject.Must(err)
	go func() {
		for {
			session, err := listener.Accept()
			subject.Must(err)
			go serve(session)
		}
	}()
	client := exec.Command(os.Args[0])
	client.Env = append(os.Environ(), "SUBJECT_CLIENT="+listener.Addr().String())
	subject.Must(client.Run())
	subject.End(0)
}
