//! Turnaround at a fixed rate.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use common::gateway::{TestGateway, settings};
use common::{KEY_EPOCH, READING_BYTES, Setup, key, number};
use serde_json::{Value, json};

const FRAMES: u64 = 2_000;

fn probe(gateway: &TestGateway, first_reading: u64) -> Value {
    changed(gateway, json!({ "firstReading": first_reading }))
}

/// A probe with some keys of its own.
fn changed(gateway: &TestGateway, change: Value) -> Value {
    let mut setup = Setup::new(json!({
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
        "poll": "sleep",
    }));
    if let (Some(config), Some(change)) = (setup.config.as_object_mut(), change.as_object()) {
        config.extend(change.clone());
    }
    setup.report(&["probe"])
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

#[test]
fn a_window_sends_as_fast_as_it_is_answered_and_no_faster() {
    let gateway = TestGateway::start(&settings(100), 1.0, 0);
    let load = json!({ "framesPerSecond": 1e9, "framesMax": 240, "firstDevice": 20, "windowFrames": 40 });
    let report = changed(&gateway, load);
    assert_eq!((number(&report, "sent"), number(&report, "acked")), (240, 240), "{report}");
    // Forty at a time, and every 20 ms a commit.
    assert!(report["seconds"].as_f64().is_some_and(|seconds| seconds > 0.08), "{report}");
    let seen = gateway.stop();
    assert!(seen.stored.keys().copied().eq(20..100), "{:?}", seen.stored.keys());
    assert!(seen.stored.values().all(|readings| readings.len() == 3), "{:?}", seen.stored);
}

#[test]
fn a_window_that_nobody_answers_ends() {
    let gateway = TestGateway::start(&settings(100), 1.0, 1_000);
    let load = json!({ "framesPerSecond": 1e9, "framesMax": 100, "windowFrames": 10, "settleMillis": 100, "seconds": 60 });
    let report = changed(&gateway, load);
    assert_eq!(report["complete"], json!(false));
    assert_eq!((number(&report, "sent"), number(&report["lost"], "unanswered")), (10, 10), "{report}");
}

#[test]
fn every_device_says_hello_once() {
    let mut settings = settings(100);
    settings.sessions_per_second = 100_000;
    let gateway = TestGateway::start(&settings, 1.0, 0);
    let report = changed(&gateway, json!({ "frame": "hello", "session": 2 }));
    assert_eq!((number(&report, "sent"), number(&report, "acked")), (100, 100), "{report}");
    assert_eq!(number(&report["latencyMicros"], "count"), 100);
    // The session is new: what was sent in the one before is refused.
    let data = changed(&gateway, json!({ "framesMax": 100, "session": 1 }));
    assert_eq!(number(&data["lost"], "noSession"), 100, "{data}");
    let data = changed(&gateway, json!({ "framesMax": 100, "session": 2 }));
    assert_eq!(number(&data, "acked"), 100, "{data}");
}

#[test]
fn a_device_that_is_put_off_is_not_admitted() {
    let gateway = TestGateway::start(&settings(100), 1.0, 0);
    let hellos = json!({ "frame": "hello", "session": 2, "framesPerSecond": 100_000 });
    let report = changed(&gateway, hellos);
    let (acked, later) = (number(&report, "acked"), number(&report["lost"], "later"));
    assert!(acked > 0 && later > 0 && acked + later == 100, "{report}");
    assert_eq!(number(&report["latencyMicros"], "count"), acked);
}
