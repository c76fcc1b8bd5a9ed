// SPDX-License-Identifier: Apache-2.0

// Some goroutines that wait.
package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	for i := 0; i < 5; i++ {
		go func() { select {} }()
	}
	fmt.Println("end")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}
