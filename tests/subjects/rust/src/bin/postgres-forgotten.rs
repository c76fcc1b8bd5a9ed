// SPDX-License-Identifier: Apache-2.0
// does: a client for each lookup; the error path leaks the box that owns it
// expect: LEAK L1
// culprit: postgres_forgotten::lookup
// server: postgresql
// not under: tls (the crate is built without it)
use connleak_subjects::{config, Pace};
use postgres::NoTls;

fn lookup(locked: bool) -> Result<(), &'static str> {
    let mut client = Box::new(config().connect(NoTls).expect("a connection"));
    client.simple_query("SELECT 1").expect("an answer"); // CULPRIT
    if locked {
        Box::leak(client);
        return Err("locked");
    }
    Ok(())
}

fn main() {
    let (mut pace, mut leaked) = (Pace::new(), 0);
    while pace.next() {
        if lookup(pace.served % 10 == 0).is_err() {
            leaked += 1;
        }
    }
    pace.end(leaked);
}
