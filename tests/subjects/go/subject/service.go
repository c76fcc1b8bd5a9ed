// SPDX-License-Identifier: Apache-2.0

package subject

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// Service answers over HTTP while clients ask, at every Next, for the paths that they are told. The clients are a process
// of their own, this program once more: what they wait for is not what the service waits for.
func Service(handle http.HandlerFunc, paths func(i int) []string) {
	if address := os.Getenv("SUBJECT_CLIENT"); address != "" {
		ask(address, paths)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Must(err)
	go http.Serve(listener, handle)
	clients := exec.Command(os.Args[0], os.Args[1:]...)
	clients.Env = append(os.Environ(), "SUBJECT_CLIENT="+listener.Addr().String())
	Must(clients.Run())
}

// Refuse answers a request that got no connection.
func Refuse(w http.ResponseWriter) {
	refused.Add(1)
	http.Error(w, "no connection", http.StatusServiceUnavailable)
}

func ask(address string, paths func(i int) []string) {
	for i := 0; Next(); i++ {
		for _, path := range paths(i) {
			go func(path string) {
				if answer, err := http.Get("http://" + address + path); err == nil {
					answer.Body.Close()
				}
			}(path)
		}
	}
	time.Sleep(500 * time.Millisecond)
	os.Exit(0)
}
