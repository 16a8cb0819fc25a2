//! The admin interface.
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

mod common;

use common::{A_WHILE, Daemon, Device, config};
use klais_burst_sync::Frame;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn it_is_healthy_and_ready() {
    let daemon = Daemon::start(&config());
    let (status, body) = daemon.get("/health");
    let health: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, health), (200, json!({ "healthy": true, "xdp": "off", "reason": null })));
    let (status, body) = daemon.get("/ready");
    let ready: Value = serde_json::from_str(&body).expect("JSON");
    let expected = json!({ "ready": true, "draining": false, "xdp": "off", "reason": null });
    assert_eq!((status, ready), (200, expected));
    assert_eq!(daemon.get("/nothing").0, 404);
    assert_eq!(daemon.http("POST", "/config", None).0, 405);
}

/// Samples by name and labels, and the types declared.
fn parsed(text: &str) -> (BTreeMap<&str, f64>, BTreeMap<&str, &str>) {
    let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').expect("a type");
            assert!(types.insert(name, kind).is_none(), "{name} twice");
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            assert!(samples.insert(name, value.parse().expect("a number")).is_none(), "{name} twice");
        }
    }
    (samples, types)
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let daemon = Daemon::start(&config());
    let device = Device::new(3, daemon.listen);
    device.connect(1);
    device.deliver(1, 0, 5);
    device.socket.send(b"garbage").expect("sent");
    daemon.until("taken", |stats| stats["frames"]["received"] == 3);
    let (status, text) = daemon.get("/metrics");
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"));
    let (samples, types) = parsed(&text);
    assert_eq!(samples["klais_frames_received_total"], 3.0);
    assert_eq!(samples["klais_sink_readings_total"], 5.0);
    assert_eq!(samples[r#"klais_wire_errors_total{reason="truncated"}"#], 1.0);
    assert_eq!(samples[r#"klais_drops_total{reason="replayed"}"#], 0.0);
    assert_eq!(samples[r#"klais_xdp{mode="off"}"#], 1.0);
    assert_eq!(samples["klais_sessions"], 1.0);
    assert_eq!(samples[r#"klais_turnaround_seconds_bucket{le="+Inf"}"#], 1.0);
    assert_eq!(samples["klais_turnaround_seconds_count"], 1.0);
    assert_eq!((types["klais_hellos"], types["klais_sessions"]), ("counter", "gauge"));
    assert_eq!(types["klais_turnaround_seconds"], "histogram");
    for name in types.keys() {
        assert!(text.contains(&format!("# HELP {name} ")), "{name} without help");
    }
}

#[test]
fn rates_change_at_once() {
    let mut config = config();
    config["policy"]["sessionsPerSecond"] = 1.into();
    let daemon = Daemon::start(&config);
    Device::new(0, daemon.listen).connect(1);
    let device = Device::new(1, daemon.listen);
    device.send(&device.hello(1));
    device.deferred();
    let (status, view) = daemon.patch(&json!({ "sessionsPerSecond": 5_000, "capacityPerSecond": 77 }));
    assert_eq!(status, 200, "{view}");
    assert_eq!((&view["sessionsPerSecond"], &view["capacityPerSecond"]), (&json!(5_000), &json!(77)));
    // What was promised stays: the queue of slots goes on behind it, five thousand times as fast.
    for id in 10..100 {
        let device = Device::new(id, daemon.listen);
        device.send(&device.hello(1));
        let delay = device.deferred().delay_millis;
        assert!(delay <= 1_020, "device {id}: {delay} ms");
    }
    let (_, text) = daemon.get("/config");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), view);
    assert!(!text.contains("0707") && !text.contains("masterKey"));
}

#[test]
fn devices_and_ranges_are_blocked_and_unblocked() {
    let daemon = Daemon::start(&config());
    let device = Device::new(3, daemon.listen);
    device.connect(1);
    let (status, view) = daemon.patch(&json!({ "block": [3, 4] }));
    assert_eq!((status, &view["blocked"]), (200, &json!(2)));
    device.send(&device.readings(1, 0, 5));
    daemon.until("blocked", |stats| stats["drops"]["blocked"] == 1);
    assert_eq!(daemon.patch(&json!({ "unblock": [3] })).0, 200);
    assert_eq!(device.deliver(1, 0, 5), 5);
    let (_, view) = daemon.patch(&json!({ "blockPrefixes": ["127.0.0.9/8", "2001:db8::/32"] }));
    assert_eq!(view["blockedPrefixes"], json!(["127.0.0.0/8", "2001:db8::/32"]));
    device.send(&device.readings(1, 5, 5));
    daemon.until("blocked", |stats| stats["drops"]["prefix"] == 1);
    assert_eq!(daemon.patch(&json!({ "unblockPrefixes": ["127.0.0.0/8"] })).0, 200);
    assert_eq!(device.deliver(1, 5, 5), 10);
}

#[test]
fn a_limit_takes_effect() {
    let daemon = Daemon::start(&config());
    let device = Device::new(3, daemon.listen);
    device.connect(1);
    let limit = json!({ "events": 1, "periodNanos": 3_600_000_000_000_u64, "burst": 10 });
    let (status, view) = daemon.patch(&json!({ "limits": { "live": limit } }));
    assert_eq!((status, &view["limits"]["live"]), (200, &limit));
    device.send(&device.readings(1, 0, 11));
    daemon.until("too much", |stats| stats["drops"]["invalid-cost"] == 1);
    assert_eq!(device.try_receive(A_WHILE), None);
}

#[test]
fn a_bad_change_changes_nothing() {
    let daemon = Daemon::start(&config());
    let before = daemon.get("/config").1;
    let bad = [
        ("capacityPerSecond", json!({ "sessionsPerSecond": 5, "capacityPerSecond": 0 })),
        ("sessionsPerSecond", json!({ "capacityPerSecond": 5, "sessionsPerSecond": 0 })),
        ("capacityPerSecond", json!({ "capacityPerSecond": -3 })),
        ("capacityPerSecond", json!({ "capacityPerSecond": u64::MAX })),
        (
            "limits.live.burst",
            json!({ "block": [1], "limits": { "live": { "events": 1, "periodNanos": 1, "burst": "x" } } }),
        ),
        (
            "limits.live",
            json!({ "block": [1], "limits": { "live": { "events": 1, "periodNanos": 1, "burst": 0 } } }),
        ),
        ("limits.control", json!({ "limits": { "control": { "events": 1, "periodNanos": 1, "burst": 1 } } })),
        ("block", json!({ "block": [1, 1_000], "sessionsPerSecond": 3 })),
        ("blockPrefixes[1]", json!({ "blockPrefixes": ["10.0.0.0/8", "10.0.0.0/33"] })),
        ("rotateMasterKey.key", json!({ "rotateMasterKey": { "key": "xyz", "epoch": 1 } })),
        (
            "rotateMasterKey.epoch",
            json!({ "block": [1], "rotateMasterKey": { "key": common::hex(common::KEY), "epoch": 0 } }),
        ),
        ("nonsense", json!({ "nonsense": 1 })),
    ];
    for (key, body) in bad {
        let (status, answer) = daemon.patch(&body);
        assert_eq!((status, &answer["error"]["key"]), (400, &json!(key)), "{body}: {answer}");
        assert!(answer["error"]["problem"].as_str().is_some_and(|problem| !problem.is_empty()));
    }
    for body in ["", "{", "[]", "{} {}", "\u{0}"] {
        assert_eq!(daemon.http("PATCH", "/config", Some(body)).0, 400, "{body:?}");
    }
    let huge = format!(r#"{{"block":[{}1]}}"#, "1,".repeat(1 << 20));
    assert_eq!(daemon.http("PATCH", "/config", Some(&huge)).0, 413);
    assert_eq!(daemon.get("/config").1, before);
    // The sessions' rate is as it was.
    for id in 0..50 {
        Device::new(id, daemon.listen).connect(1);
    }
    let device = Device::new(1, daemon.listen);
    assert!(!matches!(device.try_receive(A_WHILE), Some(Frame::Defer(_))));
}

#[test]
fn what_costs_are_known_after_some_work() {
    let mut config = config();
    config["policy"]["admission"] = "open".into();
    let daemon = Daemon::start(&config);
    let devices: Vec<_> = (0..64).map(|id| Device::new(id, daemon.listen)).collect();
    for device in &devices {
        device.connect(1);
    }
    for round in 0..700 {
        let count = 1 + (round % 40) as u16;
        // The same run again and again costs the same and needs no book-keeping here.
        for device in &devices {
            device.send(&device.readings(1, 0, count));
        }
        for device in &devices {
            device.receive();
        }
    }
    let stats = daemon.stats();
    let samples = stats["service"]["samples"].as_u64().expect("samples");
    assert!(samples >= 8, "{stats:#}");
    let cost = stats["service"]["dataNanos"].as_f64().expect("a cost");
    assert!((100.0..1e6).contains(&cost), "{stats:#}");
}
