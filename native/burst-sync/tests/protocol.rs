//! Devices and gateways over a bad network, in bad times: nothing is lost, nothing is stored twice.
//!
//! `KLAIS_SEED=17 cargo test -p klais-burst-sync --test protocol` repeats one run, `KLAIS_SEED=0..60000` soaks.

mod common;

use common::gateway::Rules;
use common::plan::Mode;
use common::world::{Summary, World};
use klais_burst_sync::{Backlog, Device};
use std::panic::catch_unwind;

const MARKS: Rules =
    Rules { deduplicate: true, stores_session: true, admit_waits: true, acks_after_commit: true };
const PROXY: Rules = Rules { deduplicate: false, ..MARKS };
const RUNS: u64 = 1_000;

/// Names the seed of a run that fails.
struct Seed(u64, Mode);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:?}: repeat with KLAIS_SEED={}", self.1, self.0);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "repeats seeds")]
fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("KLAIS_SEED") else { return 0..RUNS };
    let number = |text: &str| text.parse::<u64>().expect("KLAIS_SEED is a seed, or FIRST..END");
    match text.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&text)..number(&text) + 1,
    }
}

fn run_all(mode: Mode, rules: Rules) -> Summary {
    let mut all = Summary::default();
    for seed in seeds() {
        let named = Seed(seed, mode);
        let one = World::new(seed, mode, rules).run();
        drop(named);
        all.produced += one.produced;
        all.durable += one.durable;
        all.doubled += one.doubled;
        all.lost += one.lost;
        all.sessions += one.sessions;
        all.events += one.events;
    }
    eprintln!("{mode:?}: {all:?}");
    all
}

#[test]
fn with_marks_nothing_is_lost_and_nothing_is_stored_twice() {
    let all = run_all(Mode::Marks, MARKS);
    assert_eq!(all.doubled, 0);
    assert!(all.durable > 0);
}

#[test]
fn a_proxy_stores_twice_but_loses_nothing() {
    let all = run_all(Mode::Proxy, PROXY);
    assert!(all.durable > 0);
}

#[test]
fn runs_repeat() {
    for seed in 0..20 {
        let run = || format!("{:?}", World::new(seed, Mode::Marks, MARKS).run());
        assert_eq!(run(), run());
    }
}

/// Each broken rule must be found, or the invariants above see nothing.
#[test]
fn broken_rules_are_found() {
    let broken = [
        Rules { stores_session: false, ..MARKS },
        Rules { admit_waits: false, ..MARKS },
        Rules { acks_after_commit: false, ..MARKS },
        PROXY,
    ];
    for rules in broken {
        let found =
            (0..20 * RUNS).any(|seed| catch_unwind(|| World::new(seed, Mode::Marks, rules).run()).is_err());
        assert!(found, "{rules:?}");
    }
}

#[test]
fn a_device_takes_80_bytes() {
    assert_eq!(size_of::<Device>(), 80);
    assert_eq!(size_of::<Backlog>(), 24);
}
