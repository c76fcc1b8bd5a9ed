// SPDX-License-Identifier: Apache-2.0

// does: a web service with a filled pool; after a while all requests wait for a slow service of another kind and fail
// expect: none
// server: postgresql
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"connleak.test/subjects/subject"
)

func main() {
	if address := os.Getenv("SUBJECT_CLIENT"); address != "" {
		for i := 0; subject.Next(); i++ {
			path := "/order"
			if i > 200 {
				path = "/weather"
			}
			go http.Get("http://" + address + path)
		}
		time.Sleep(500 * time.Millisecond)
		return
	}
	upstream := exec.Command("/usr/bin/python3", "-c", `
import http.server, socketserver, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.6)
        self.send_response(500)
        self.end_headers()
    def log_message(self, *_): pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
server = Server(("127.0.0.1", 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()`)
	out, err := upstream.StdoutPipe()
	subject.Must(err)
	subject.Must(upstream.Start())
	defer upstream.Process.Kill()
	var port int
	fmt.Fscan(out, &port)

	db := subject.Postgres("postgres")
	db.SetMaxOpenConns(5)
	db.SetMaxIdleConns(5)
	var all sync.WaitGroup
	for i := 0; i < 5; i++ {
		all.Add(1)
		go func() {
			subject.Query(db, "SELECT pg_sleep(0.2)::text")
			all.Done()
		}()
	}
	all.Wait()
	var weather atomic.Int64
	http.HandleFunc("/order", func(w http.ResponseWriter, r *http.Request) {
		subject.Query(db, "SELECT 1")
		fmt.Fprintln(w, "ok")
	})
	http.HandleFunc("/weather", func(w http.ResponseWriter, r *http.Request) {
		weather.Add(1)
		if answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port)); err == nil {
			answer.Body.Close()
		}
		http.Error(w, "no weather", http.StatusBadGateway)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	subject.Must(err)
	go http.Serve(listener, nil)
	client := exec.Command(os.Args[0])
	client.Env = append(os.Environ(), "SUBJECT_CLIENT="+listener.Addr().String())
	subject.Must(client.Run())
	upstream.Process.Kill()
	subject.End(0)
}
