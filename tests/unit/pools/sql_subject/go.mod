module pools.test/sql

go 1.19
