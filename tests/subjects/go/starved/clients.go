// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"os"
	"os/exec"
	"time"

	"connleak.test/subjects/subject"
)

// Clients are a process of their own: what they wait for is not what the service waits for.
func Clients(address string) {
	client := exec.Command(os.Args[0])
	client.Env = append(os.Environ(), "SUBJECT_CLIENT="+address)
	subject.Must(client.Run())
}

func init() {
	address := os.Getenv("SUBJECT_CLIENT")
	if address == "" {
		return
	}
	get := func(path string) {
		if answer, err := http.Get("http://" + address + path); err == nil {
			answer.Body.Close()
		}
	}
	for i := 0; subject.Next(); i++ {
		go get("/")
		if i >= 250 && i%15 == 0 {
			go get("/locked")
		}
	}
	time.Sleep(500 * time.Millisecond)
	os.Exit(0)
}
