//! Wrong input is refused with the file and the place, and status 2.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use common::gateway::{TestGateway, settings};
use common::{Setup, firmware, key};
use serde_json::{Value, json};
use std::fs;

fn refused(setup: &Setup, arguments: &[&str], expected: &str) {
    let output = setup.run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{expected}: {error}");
    assert!(error.contains(expected), "{expected}: {error}");
    assert!(!setup.path("report.json").exists());
}

fn fleet() -> Setup {
    let gateway = TestGateway::start(&settings(1), 1.0, 0);
    let setup = Setup::fleet(&gateway, 10, "127.90.0.0", 1);
    gateway.stop();
    setup
}

#[test]
fn wrong_settings_are_named() {
    let mut setup = fleet();
    let good = setup.config.clone();
    let cases: [(&str, Value, &str); 20] = [
        ("/schema", json!("klais.fleet/2"), "config.json: schema: must be klais.fleet/1"),
        ("/devices", json!("ten"), "config.json: devices: invalid type"),
        ("/devices", json!(0), "devices: 1 to 16777216"),
        ("/devices", json!(11), "fleet.devices: must be the same"),
        ("/firstAddress", json!("10.0.0"), "firstAddress: invalid IPv4"),
        ("/firstAddress", json!("255.255.255.250"), "firstAddress: no room"),
        ("/sourcePort", json!(70_000), "sourcePort: invalid value"),
        ("/gateways", json!([]), "gateways: at least one"),
        ("/gateways", json!(["127.0.0.1"]), "gateways[0]: invalid"),
        ("/masterKey", json!("12"), "masterKey: must be 32 hexadecimal digits"),
        ("/originNanos", json!(12), "originNanos: invalid type"),
        ("/originNanos", json!("-1"), "originNanos: must be a string of decimal digits"),
        ("/timeScale", json!(0), "timeScale: above 0"),
        ("/untilMicros", json!(1.5), "untilMicros: invalid type"),
        ("/readingBytes", json!(200), "fleet.frameReadings: 3200 bytes of readings in a frame"),
        ("/fleet/storage", json!("tape"), "fleet.storage: no such storage"),
        ("/fleet/backoffKind", json!(""), "fleet.backoffKind: no such backoff"),
        ("/fleet/reportMicros", json!(1_500_000), "fleet.reportMicros: must be a whole multiple"),
        ("/fleet/frameReadings", json!(300), "fleet.frameReadings: too large"),
        ("/fleet/windowFrames", json!(0), "fleet.windowFrames: must be at least 1"),
    ];
    for (place, value, expected) in cases {
        setup.config = good.clone();
        *setup.config.pointer_mut(place).expect("a setting") = value;
        refused(&setup, &[], expected);
    }
    setup.config = good.clone();
    setup.config["ledger"] = json!("ledger");
    setup.config["untilMicros"] = json!(1_u64 << 39);
    setup.config["fleet"]["readingMicros"] = json!(1);
    setup.config["devices"] = json!(1_000_000);
    setup.config["fleet"]["devices"] = json!(1_000_000);
    refused(&setup, &[], "ledger: a bit for every reading of every device takes more than 2 GiB");
    setup.config = good.clone();
    setup.config["fleet"]["colour"] = json!("red");
    refused(&setup, &[], "config.json: fleet.colour: unknown field");
    setup.config = good;
    setup.config.as_object_mut().expect("an object").remove("timeScale");
    refused(&setup, &[], "missing field `timeScale`");
}

#[test]
fn a_file_that_is_no_json_or_is_not_there() {
    let setup = fleet();
    let mut command = setup.command(&[]);
    fs::write(setup.path("config.json"), "{\"schema\":").expect("written");
    let output = command.output().expect("started");
    assert_eq!(output.status.code(), Some(2));
    fs::remove_file(setup.path("config.json")).expect("removed");
    let output = command.output().expect("started");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("config.json: No such file"));
}

#[test]
fn wrong_transitions_are_named_by_their_line() {
    let mut setup = fleet();
    for (text, expected) in [
        ("1000,3,off,0\n2000,3,up,0\n", "transitions:2: \"up\" is neither on nor off"),
        ("1000,10,off,0\n", "transitions:1: device 10 of a fleet of 10"),
        ("2000,1,off,0\n1000,1,on,0\n", "transitions:2: earlier than the line before it"),
        ("1000,1,off\n", "transitions:1: bootMicros is missing"),
    ] {
        setup.write("transitions", text);
        refused(&setup, &[], expected);
    }
}

#[test]
fn attacks_and_probes_check_their_input_too() {
    let gateways = json!(["127.0.0.1:7447"]);
    let mut attack = Setup::new(json!({
        "schema": "klais.fleet-attack/1", "gateways": gateways, "firstAddress": "127.91.0.0", "addresses": 10,
        "devices": 10, "seconds": 1, "kinds": { "spoofed": 1 },
    }));
    let good = attack.config.clone();
    for (key, value, expected) in [
        ("gateways", json!(["8.8.8.8:7447"]), "gateways: only loopback and private addresses"),
        ("seconds", json!(0), "seconds: above 0"),
        ("kinds", json!({ "replay": 1 }), "replay: needed for that kind"),
        ("kinds", json!({ "oldKey": 1 }), "oldKey: needed for that kind"),
        ("kinds", json!({ "shouted": 1 }), "kinds"),
        ("kinds", json!({ "spoofed": 0 }), "kinds: at least one above 0"),
        ("insiders", json!({ "first": 1, "count": 0, "masterKey": key(), "keyEpoch": 0 }), "insiders.count"),
    ] {
        attack.config = good.clone();
        attack.config[key] = value;
        refused(&attack, &["attack"], expected);
    }
    attack.config = good;
    attack.config["kinds"] = json!({ "replay": 1 });
    attack.write("replay", "0101\nxyz\n");
    refused(&attack, &["attack"], "replay:2: not a frame in hexadecimal");
    let mut probe = Setup::new(json!({
        "schema": "klais.fleet-probe/1", "devices": 10, "firstAddress": "127.92.0.0", "sourcePort": 0,
        "gateways": gateways, "masterKey": key(), "keyEpoch": 0, "session": 1, "framesPerSecond": 0,
        "seconds": 1, "readingBytes": 12,
    }));
    refused(&probe, &["probe"], "framesPerSecond: above 0");
    probe.config["framesPerSecond"] = json!(10);
    for (key, value, expected) in [
        ("firstDevice", json!(10), "firstDevice: below devices"),
        ("windowFrames", json!(0), "windowFrames: at least 1"),
        ("frame", json!("bye"), "frame"),
    ] {
        let good = probe.config.clone();
        probe.config[key] = value;
        refused(&probe, &["probe"], expected);
        probe.config = good;
    }
    probe.config["frame"] = json!("hello");
    probe.config["frameReadings"] = json!(2);
    refused(&probe, &["probe"], "frameReadings: 1 in HELLOs");
    probe.config["fleet"] = firmware(10);
    refused(&probe, &["probe"], "unknown field");
}
