// SPDX-License-Identifier: Apache-2.0
// does: an r2d2 pool of eight, filled at the start, with a check before each use; mostly one thread asks
// expect: none
// server: postgresql
// not under: tls (the crate is built without it)
use connleak_subjects::{config, Pace};
use postgres::NoTls;
use r2d2_postgres::PostgresConnectionManager;
use std::thread;

fn main() {
    let pool = r2d2::Pool::builder().max_size(8).build(PostgresConnectionManager::new(config(), NoTls)).expect("a pool");
    let mut pace = Pace::new();
    while pace.next() {
        let parallel = if pace.served % 100 == 0 { 8 } else { 1 };
        let threads: Vec<_> = (0..parallel)
            .map(|_| {
                let pool = pool.clone();
                thread::spawn(move || pool.get().expect("a connection").simple_query("SELECT 1").expect("an answer"))
            })
            .collect();
        for thread in threads {
            thread.join().expect("a thread");
        }
    }
    pace.end(0);
}
