// SPDX-License-Identifier: Apache-2.0
//! What every subject in Rust shares: the pace of its requests, its end, its server.
use std::env::var;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub struct Pace {
    began: Instant,
    lull: Instant,
    pub served: u32,
}

impl Pace {
    pub fn new() -> Pace {
        Pace { began: Instant::now(), lull: Instant::now(), served: 0 }
    }

    /// True every 20 ms, with lulls of a second in bursts, until the time is over but for 1.5 s.
    pub fn next(&mut self) -> bool {
        if var("SUBJECT_BURSTS").is_ok() && self.lull.elapsed() > Duration::from_secs(3) {
            sleep(Duration::from_secs(1));
            self.lull = Instant::now();
        }
        sleep(Duration::from_millis(20));
        self.served += 1;
        let seconds: f64 = var("SUBJECT_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(12.0);
        self.began.elapsed().as_secs_f64() < seconds - 1.5
    }

    /// A quiet end; what is open is closed by the exit alone.
    pub fn end(self, leaked: u32) -> ! {
        sleep(Duration::from_millis(1500));
        println!("{{\"leaked\": {}, \"requests\": {}}}", leaked, self.served);
        std::process::exit(0)
    }
}

pub fn config() -> postgres::Config {
    let get = |name| var(name).expect(name);
    let mut config = postgres::Config::new();
    config.host(&get("PGHOST")).port(get("PGPORT").parse().expect("a port")).user(&get("PGUSER")).dbname(&get("PGDATABASE"));
    config
}
