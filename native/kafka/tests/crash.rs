//! A process that is killed in the middle of its transactions, and those that take over from it.
#![forbid(unsafe_code)]

mod common;

use common::owner::{COUNT, Owner};
use common::*;
use klais_burst_sync::Lane;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// How a child of this test is told what to write to.
const BROKER: &str = "KLAIS_KAFKA";
const NAME: &str = "KLAIS_TEST_TOPICS";
const KILLS: u64 = 4;

/// Stores until it is killed, and says when it has.
#[test]
#[ignore = "started by the test below"]
fn child() {
    #[allow(clippy::disallowed_methods, reason = "a test has no other arguments")]
    let (Ok(brokers), Ok(name)) = (std::env::var(BROKER), std::env::var(NAME)) else { return };
    let mut sink = Sink::new(named(&brokers, 1, &name)).expect("a sink");
    let (_, marks) = open(&mut sink, 0);
    let mut owner = Owner::new(0);
    owner.mark = marks.first().map_or(0, |mark| mark.mark);
    println!("\nopened");
    while owner.store(&mut sink) {
        println!("stored {}", owner.mark);
    }
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn processes_that_are_killed_leave_whole_transactions_and_marks_that_know_them() {
    let Some(brokers) = broker() else { return };
    let config = fresh(&brokers, 1);
    let mut told = 0;
    for n in 0..KILLS {
        let mut owner = start(&config.prefix);
        let mut lines = BufReader::new(owner.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "opened"), "it takes the shard over");
        // In the middle of something, each time of something else.
        let reader =
            thread::spawn(move || lines.filter_map(|line| line.strip_prefix("stored ")?.parse().ok()).max());
        thread::park_timeout(Duration::from_millis(300 + 37 * n));
        owner.kill().expect("killed");
        owner.wait().expect("ended");
        told = reader.join().expect("no panic").unwrap_or(told);
    }
    let mut sink = Sink::new(config.clone()).expect("a sink");
    let (_, marks) = open(&mut sink, 0);
    let mark = marks.first().expect("a mark").mark;
    assert!(mark == told || mark == told + u32::from(COUNT), "mark {mark}, and {told} was acknowledged");
    assert_eq!(marks, [mark_of(mark)]);
    let records = committed(&brokers, &config.data_topic, 0);
    assert_eq!(sequences(&records, 0, 0), (0..mark.into()).collect::<Vec<_>>());
    assert!(told > 0, "something was stored");
}

fn mark_of(end: u32) -> klais_kafka::Checkpoint {
    mark(0, Lane::Live, end)
}

fn start(name: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["child", "--exact", "--include-ignored", "--nocapture"])
        .env(NAME, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs")
}
