//! How the daemon starts, and how it ends.
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

mod common;

use common::{Daemon, Device, config, config_file, exchange, refused};
use klais_burst_sync::Frame;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

/// A sink that takes its time: `commit_micros`, and a capacity that makes a queue.
fn slow(commit_micros: u64, readings_per_second: u64) -> Value {
    let mut config = config();
    config["policy"]["admission"] = "open".into();
    config["sink"] =
        json!({ "kind": "mock", "commitMicros": commit_micros, "readingsPerSecond": readings_per_second });
    config
}

#[test]
fn sigterm_drains_and_everything_acknowledged_was_in_the_sink() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let daemon = Daemon::start(&slow(700_000, 10_000));
        let devices: Vec<_> = (0..20).map(|id| Device::new(id, daemon.listen)).collect();
        for device in &devices {
            device.connect(1);
        }
        for device in &devices {
            device.send(&device.readings(1, 0, 50));
        }
        daemon.until("accepted", |stats| stats["gateway"]["admitted"] == 1_000);
        daemon.signal(signal);
        // The admin interface tells, and frames are not taken any more.
        daemon.until("draining", |stats| stats["draining"] == true);
        let (status, body) = daemon.get("/ready");
        assert_eq!((status, body.contains(r#""draining":true"#)), (503, true), "{body}");
        let late = Device::new(500, daemon.listen);
        late.send(&late.hello(1));
        let mut acknowledged = 0;
        for device in &devices {
            match device.receive() {
                Frame::Ack { mark, .. } => acknowledged += u64::from(mark),
                other => panic!("not acknowledged: {other:?}"),
            }
        }
        let (status, last) = daemon.end();
        let last = last.expect("last words");
        assert_eq!(status.code(), Some(0));
        assert_eq!((&last["drained"], &last["sink"]["readings"]), (&json!(true), &json!(acknowledged)));
        assert_eq!((acknowledged, &last["sink"]["duplicates"]), (1_000, &json!(0)));
        assert_eq!(late.try_receive(Duration::from_millis(1)), None);
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let daemon = Daemon::start(&slow(3_600_000_000, 0));
    let device = Device::new(1, daemon.listen);
    device.connect(1);
    device.send(&device.readings(1, 0, 50));
    daemon.until("accepted", |stats| stats["sink"]["undecided"] == 1);
    daemon.signal(Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(300));
    daemon.signal(Signal::SIGTERM);
    let (status, last) = daemon.end();
    let last = last.expect("last words");
    assert_eq!(
        (status.code(), &last["drained"], &last["sink"]["readings"]),
        (Some(0), &json!(false), &json!(0))
    );
    // What was not stored was not acknowledged.
    assert_eq!(device.try_receive(Duration::from_millis(1)), None);
}

#[test]
fn a_drain_has_an_end() {
    let daemon = Daemon::start(&slow(3_600_000_000, 0));
    let device = Device::new(1, daemon.listen);
    device.connect(1);
    device.send(&device.readings(1, 0, 50));
    daemon.until("accepted", |stats| stats["sink"]["undecided"] == 1);
    daemon.signal(Signal::SIGTERM);
    let (status, last) = daemon.end();
    assert_eq!((status.code(), &last.expect("last words")["drained"]), (Some(0), &json!(false)));
}

#[test]
fn killed_it_is_gone_and_its_ports_are_free() {
    let mut config = config();
    let first = Daemon::start(&config);
    let device = Device::new(1, first.listen);
    device.connect(1);
    assert_eq!(device.deliver(1, 0, 5), 5);
    config["listen"] = first.listen.to_string().into();
    config["admin"] = first.admin.to_string().into();
    first.signal(Signal::SIGKILL);
    let (status, last) = first.end();
    assert_eq!((status.signal(), last), (Some(9), None));
    let second = Daemon::start(&config);
    // It knows of no session, says so, and takes a new one.
    device.send(&device.readings(1, 5, 5));
    assert!(matches!(device.receive(), Frame::Nack(_)));
    device.connect(2);
    assert_eq!(second.stats()["gateway"]["online"], 1);
}

#[test]
fn two_daemons_do_not_share_a_port() {
    let first = Daemon::start(&config());
    let mut second = config();
    second["listen"] = first.listen.to_string().into();
    let (code, said) = refused(&second.to_string());
    assert_eq!(code, 2);
    assert!(
        said.contains("listen") && said.contains("in use") && said.contains(&first.listen.to_string()),
        "{said}"
    );
    let mut third = config();
    third["admin"] = first.admin.to_string().into();
    let (code, said) = refused(&third.to_string());
    assert_eq!(code, 2);
    assert!(said.contains("admin") && said.contains("in use"), "{said}");
}

#[test]
fn a_wrong_configuration_is_refused_with_file_line_and_key() {
    let good = serde_json::to_string_pretty(&config()).expect("JSON");
    let bad = [
        (r#""devices": 1000,"#, r#""devices": "many","#, "devices", "invalid type"),
        (r#""poll": "sleep""#, r#""poll": "nap""#, "poll", "busy"),
        (r#""keyEpoch": 0"#, r#""keyEpoch": 300"#, "keyEpoch", "300"),
        (r#""timeScale": 1"#, r#""timeScale": 0"#, "timeScale", "not a whole number within 1 to 10000"),
        (r#""timeScale": 1"#, r#""timeScale": 1.5"#, "timeScale", "1.5 is not a whole number"),
        (r#""timeScale": 1"#, r#""timeScale": 10001"#, "timeScale", "10001 is not a whole number within"),
        (r#""xdp": "off""#, r#""xdp": "off", "surprise": 1"#, "surprise", "unknown field"),
        (r#""klais.gatewayd/1""#, r#""klais.gatewayd/2""#, "schema", "klais.gatewayd/1"),
        (r#""admin": "127.0.0.1:0""#, r#""admin": "0.0.0.0:0""#, "admin", "loopback"),
        (r#""gateway": 0"#, r#""gateway": 1"#, "gateway", "count from 0"),
        (r#""masterKey": "07"#, r#""masterKey": "0x"#, "masterKey", "32 hexadecimal"),
        (r#""shards": 1"#, r#""shards": 0"#, "policy.shards", "at least 1"),
        (r#""admission": "slots""#, r#""admission": "maybe""#, "policy.admission", "slots"),
        (
            r#""batchesInFlightMax": 1"#,
            r#""batchesInFlightMax": 2"#,
            "policy.batchesInFlightMax",
            "exactly once",
        ),
        (r#""commitMicros": 0"#, r#""commitMicros": -1"#, "sink", "-1"),
        (r#""kind": "mock""#, r#""kind": "file""#, "sink", "mock"),
        #[cfg(not(feature = "kafka"))]
        (r#""kind": "mock""#, r#""kind": "kafka""#, "sink.kind", "--features kafka"),
        #[cfg(feature = "kafka")]
        (r#""kind": "mock""#, r#""kind": "kafka""#, "sink", "unknown field `commitMicros`"),
        (r#""xdp": "off""#, r#""xdp": "native""#, "interface", "name of the interface"),
    ];
    for (from, to, key, problem) in bad {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let (code, said) = refused(&text);
        assert_eq!((code, said.lines().count()), (2, 1), "{said}");
        assert!(said.contains(key) && said.contains(problem), "{to}: {said}");
        let line = text.lines().position(|line| line.contains(to)).map(|n| format!(".json:{}:", n + 1));
        let is_placed =
            line.as_ref().is_some_and(|line| said.contains(line)) || key == "sink" || key == "interface";
        assert!(is_placed, "{line:?}: {said}");
    }
    let cut = &good[..good.len() / 2];
    for text in ["", "{", "null", cut, &format!("{good}]")] {
        let (code, said) = refused(text);
        assert_eq!((code, said.lines().count()), (2, 1), "{said}");
        assert!(said.contains(".json"), "{said}");
    }
    let missing = config_file("");
    std::fs::remove_file(&missing).expect("removed");
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_klais-gatewayd"));
    let (code, said) = common::refused_by(command, &missing);
    assert_eq!(code, 2);
    assert!(said.contains("No such file") && said.contains(&missing.display().to_string()), "{said}");
}

#[test]
fn a_secret_in_a_bad_configuration_is_not_repeated() {
    let mut config = config();
    config["masterKey"] = "00112233445566778899aabbccddeef".into();
    let (_, said) = refused(&config.to_string());
    assert!(said.contains("masterKey") && !said.contains("8899"), "{said}");
}

#[test]
fn many_connections_to_the_admin_port_stop_no_frame() {
    let daemon = Daemon::start(&config());
    let device = Device::new(1, daemon.listen);
    device.connect(1);
    let idle: Vec<_> = (0..200).map(|_| TcpStream::connect(daemon.admin).expect("a connection")).collect();
    assert_eq!(device.deliver(1, 0, 5), 5);
    let last = TcpStream::connect(daemon.admin).expect("a connection");
    assert_eq!(exchange(last, "GET", "/health", None).0, 200);
    drop(idle);
}

#[test]
fn where_xdp_cannot_be_had_auto_says_so_and_native_is_an_error() {
    let mut config = config();
    config["interface"] = "kl-no-such".into();
    config["xdp"] = "auto".into();
    let daemon = Daemon::start(&config);
    assert_eq!(daemon.ready["xdp"], "off");
    let stats = daemon.stats();
    assert!(stats["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{stats:#}");
    Device::new(1, daemon.listen).connect(1);
    for mode in ["native", "generic"] {
        config["xdp"] = mode.into();
        let (code, said) = refused(&config.to_string());
        assert_eq!(code, 2);
        assert!(said.contains("XDP cannot be had on kl-no-such"), "{said}");
        assert!(said.contains("set xdp to auto"), "{said}");
    }
}
