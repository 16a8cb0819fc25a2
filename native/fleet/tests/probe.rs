//! Turnaround at a fixed rate.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use common::gateway::{TestGateway, settings};
use common::{KEY_EPOCH, READING_BYTES, Setup, key, number};
use serde_json::{Value, json};

const FRAMES: u64 = 2_000;

fn probe(gateway: &TestGateway, first_reading: u64) -> Value {
    Setup::new(json!({
        "schema": "klais.fleet-probe/1",
        "devices": 100,
        "firstAddress": "127.98.0.0",
        "sourcePort": 0,
        "gateways": [gateway.address.to_string()],
        "masterKey": key(),
        "keyEpoch": KEY_EPOCH,
        "session": 1,
        "framesPerSecond": 2 * FRAMES,
        "seconds": 0.5,
        "readingBytes": READING_BYTES,
        "firstReading": first_reading,
        "poll": "sleep",
    }))
    .report(&["probe"])
}

#[test]
fn every_frame_is_answered_and_timed() {
    let gateway = TestGateway::start(&settings(100), 1.0, 0);
    let report = probe(&gateway, 0);
    assert_eq!((number(&report, "sent"), number(&report, "acked")), (FRAMES, FRAMES));
    let latency = &report["latencyMicros"];
    assert_eq!(number(latency, "count"), FRAMES);
    // Committed every 20 ms: half of that at the median, plus the way.
    assert!((2_000..40_000).contains(&number(latency, "p50")), "{latency}");
    assert!(number(latency, "p99") <= number(latency, "max"));
    assert_eq!(number(&report["lagMicros"], "count"), FRAMES);
    // A second probe goes on where the first one stopped.
    assert_eq!(number(&report, "nextReading"), 20);
    let again = probe(&gateway, 20);
    assert_eq!(number(&again, "acked"), FRAMES);
    assert_eq!(gateway.stop().readings, 2 * FRAMES);
}

#[test]
fn what_is_lost_is_not_timed() {
    let gateway = TestGateway::start(&settings(100), 1.0, 50);
    let report = probe(&gateway, 0);
    let seen = gateway.stop();
    let lost: u64 =
        ["gap", "noSession", "later", "unanswered"].iter().map(|k| number(&report["lost"], k)).sum();
    assert_eq!(number(&report, "acked") + lost, FRAMES);
    assert!(number(&report["lost"], "gap") > 0, "{report}");
    assert!(number(&report, "acked") <= seen.readings);
    assert_eq!(number(&report["latencyMicros"], "count"), number(&report, "acked"));
}
