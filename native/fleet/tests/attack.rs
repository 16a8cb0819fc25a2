//! A flood changes nothing at a gateway.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use common::gateway::{TestGateway, settings};
use common::{Setup, key, number, read_json};
use serde_json::json;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// A flood of every kind, 10,000 frames a second.
fn flood(gateway: SocketAddrV4, devices: u32, seconds: f64, captured: PathBuf) -> Setup {
    Setup::new(json!({
        "schema": "klais.fleet-attack/1",
        "gateways": [gateway.to_string()],
        "firstAddress": "127.96.0.0",
        "addresses": 50_000,
        "devices": devices,
        "seconds": seconds,
        "framesPerSecond": 10_000,
        "seed": 3,
        "kinds": { "spoofed": 1, "forgedCookie": 1, "replay": 1, "oldKey": 1, "malformed": 1 },
        "replay": captured,
        "oldKey": { "masterKey": key(), "keyEpoch": 1 },
    }))
}

#[test]
fn nothing_of_a_flood_passes() {
    let devices = 200;
    let gateway = TestGateway::start(&settings(devices), 10.0, 0);
    let mut fleet = Setup::fleet(&gateway, devices, "127.95.0.0", 20);
    fleet.restart(devices, 1, 2);
    fleet.config["tap"] = json!(fleet.path("tap"));
    let honest = fleet.report(&[]);
    assert_eq!(number(&honest["connected"], "count"), u64::from(devices));
    let tap = std::fs::read_to_string(fleet.path("tap")).expect("a tap");
    assert_eq!(tap.lines().count() as u64, number(&honest, "hellos"));

    let attack = flood(gateway.address, devices, 1.0, fleet.path("tap"));
    let report = attack.report(&["attack"]);
    let seen = gateway.stop();
    let sent = |kind: &str| number(&report["sent"], kind);
    assert!(number(&report, "framesSent") > 9_000, "{report}");
    assert_eq!(seen.errors["mac"], sent("spoofed") + sent("forgedCookie"));
    assert_eq!(seen.errors["key-epoch"], sent("oldKey"));
    let malformed: u64 = seen.errors.values().sum();
    assert_eq!(malformed, number(&report, "framesSent") - sent("replay"));
    assert!(sent("replay") > 1_000);
    // Replays are signed: the dam knows them again.
    assert_eq!(seen.deferred, number(&honest, "defers"));
    assert!(seen.dropped >= sent("replay"), "{} dropped", seen.dropped);
    assert_eq!(number(&report, "framesReceived"), 0);
}

#[test]
fn under_a_flood_every_device_keeps_its_place() {
    let devices = 500;
    let gateway = TestGateway::start(&settings(devices), 10.0, 0);
    let mut fleet = Setup::fleet(&gateway, devices, "127.97.0.0", 50);
    let all = 0..devices;
    let at = |seconds: u64, power: &str| -> String {
        all.clone().map(|device| format!("{},{device},{power},0\n", seconds * 1_000_000)).collect()
    };
    let plan = [at(1, "off"), at(2, "on"), at(25, "off"), at(26, "on")].concat();
    fleet.write("transitions", &plan);
    fleet.config["tap"] = json!(fleet.path("tap"));
    let mut child = fleet.command(&[]).stdout(Stdio::null()).spawn().expect("started");
    // The first wave is over; its HELLOs are replayed all through the second one.
    std::thread::sleep(Duration::from_millis(1_800));
    let attacked = flood(gateway.address, devices, 2.0, fleet.path("tap")).report(&["attack"]);
    assert!(child.wait().expect("ended").success());
    let report = read_json(&fleet.path("report.json"));
    let seen = gateway.stop();
    assert!(number(&attacked["sent"], "replay") > 1_000, "{attacked}");
    let waves = 2 * u64::from(devices);
    assert_eq!((number(&report["connected"], "count"), number(&report, "connects")), (waves, waves));
    // A HELLO is answered with a session, or with a slot in which the next one is: none was shut out or put off twice.
    assert_eq!(number(&report, "hellos"), waves + number(&report, "defers"));
    let defers = number(&report, "defers");
    assert!((waves / 2..=waves).contains(&defers), "{defers} of {waves}");
    assert_eq!(seen.deferred, number(&report, "defers"));
    assert_eq!(report["imbalance"], json!(0));
}
