// SPDX-License-Identifier: Apache-2.0

// does: seven modules of one program, each with a pool of its own, started one after the other; some are rarely asked
// expect: none
// server: postgresql
package main

import (
	"database/sql"

	"connleak.test/subjects/subject"
)

type module struct {
	db    *sql.DB
	every int
}

func (m module) orders()   { subject.Query(m.db, "SELECT 1") }
func (m module) billing()  { subject.Query(m.db, "SELECT 2") }
func (m module) stock()    { subject.Query(m.db, "SELECT 3") }
func (m module) mail()     { subject.Query(m.db, "SELECT 4") }
func (m module) audit()    { subject.Query(m.db, "SELECT 5") }
func (m module) search()   { subject.Query(m.db, "SELECT 6") }
func (m module) settings() { subject.Query(m.db, "SELECT 7") }

func main() {
	work := []func(module){module.orders, module.billing, module.stock, module.mail, module.audit, module.search, module.settings}
	var modules []module
	for i := 0; subject.Next(); i++ {
		if len(modules) < len(work) && i%30 == 0 {
			modules = append(modules, module{subject.Postgres("postgres"), 1 + 40*len(modules)})
		}
		for n, m := range modules {
			if i%m.every == 0 {
				work[n](m)
			}
		}
	}
	subject.End(0)
}
