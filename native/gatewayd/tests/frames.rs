//! Devices and a daemon over loopback, the dam in user space.
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

mod common;

use common::{A_WHILE, Daemon, Device, NEXT_KEY, config, hex};
use klais_burst_sync::wire::{self, MasterKeys};
use klais_burst_sync::{Frame, Lane};
use serde_json::json;
use std::net::UdpSocket;

#[test]
fn a_session_opens_and_readings_are_acknowledged() {
    for poll in ["sleep", "busy"] {
        let mut config = config();
        config["poll"] = poll.into();
        let daemon = Daemon::start(&config);
        let device = Device::new(3, daemon.listen);
        let admit = device.connect(1);
        assert_eq!((admit.session, admit.marks), (1, Some((0, 0))));
        assert_eq!(device.deliver(1, 0, 5), 5);
        assert_eq!(device.deliver(1, 5, 50), 55);
        // The same again is known, and said so.
        assert_eq!(device.deliver(1, 5, 50), 55);
        let stats = daemon.stats();
        assert_eq!(stats["sink"]["readings"], 55, "{stats:#}");
        assert_eq!(stats["sink"]["duplicates"], 0);
        assert_eq!(stats["gateway"]["online"], 1);
        assert_eq!(stats["gateway"]["hellos"], 1);
        assert_eq!(stats["gateway"]["offered"], 105);
        assert_eq!(stats["frames"], json!({ "received": 4, "sent": 4, "unstamped": 0, "socketDrops": 0 }));
        assert_eq!(stats["turnaroundNanos"]["count"], 2);
        assert!(stats["turnaroundNanos"]["p50"].as_u64().expect("a time") < 1_000_000_000);
        assert_eq!((&stats["xdp"], &stats["reason"]), (&json!("off"), &json!(null)));
    }
}

#[test]
fn over_ipv6_too() {
    let mut config = config();
    config["listen"] = "[::1]:0".into();
    let daemon = Daemon::start(&config);
    let device = Device::over(9, UdpSocket::bind("[::1]:0").expect("a socket"), daemon.listen);
    device.connect(1);
    assert_eq!(device.deliver(1, 0, 5), 5);
}

#[test]
fn data_without_a_session_is_told_so() {
    let daemon = Daemon::start(&config());
    let device = Device::new(3, daemon.listen);
    device.send(&device.readings(7, 0, 5));
    assert!(matches!(device.receive(), Frame::Nack(nack) if nack.session == 7 && nack.lane == Lane::Live));
}

#[test]
fn a_fleet_in_steady_state_needs_no_hello() {
    let mut config = config();
    config["assumeOnline"] = true.into();
    let daemon = Daemon::start(&config);
    let device = Device::new(999, daemon.listen);
    assert_eq!(device.deliver(1, 0, 2), 2);
    assert_eq!(daemon.stats()["gateway"]["online"], 1_000);
}

#[test]
fn over_the_rate_sessions_are_deferred_and_come_back() {
    let mut config = config();
    config["policy"]["sessionsPerSecond"] = 1.into();
    let daemon = Daemon::start(&config);
    let first = Device::new(0, daemon.listen);
    first.connect(1);
    let second = Device::new(1, daemon.listen);
    second.send(&second.hello(1));
    let defer = second.deferred();
    assert_eq!(defer.session, 1);
    assert!((1..=1_100).contains(&defer.delay_millis), "{defer:?}");
    // Twice the same: a copy moves nobody.
    second.send(&second.hello(1));
    assert_eq!(second.deferred().cookie, defer.cookie);
    std::thread::sleep(std::time::Duration::from_millis(u64::from(defer.delay_millis) + 20));
    second.send(&second.hello_with(2, defer.cookie));
    assert!(matches!(second.receive(), Frame::Admit(_)));
    let stats = daemon.stats();
    assert_eq!((&stats["gateway"]["hellos"], &stats["gateway"]["deferred"]), (&json!(4), &json!(2)));
}

#[test]
fn garbage_of_every_length_is_counted_and_survived() {
    let daemon = Daemon::start(&config());
    let device = Device::new(3, daemon.listen);
    let mut sent = 0;
    for length in (0..1_500).chain([4_000, 65_507]) {
        let garbage: Vec<u8> = (0..length).map(|n: usize| (n * 31 + length * 17 + 5) as u8).collect();
        device.socket.send(&garbage).expect("sent");
        sent += 1;
        // So that none is lost to a full buffer.
        if sent % 32 == 0 {
            daemon.until("taken", |stats| stats["frames"]["received"] == sent);
        }
    }
    // Every prefix of a good frame, and one byte more than it.
    let mut good = device.bytes(&device.readings(1, 0, 4));
    for length in 0..good.len() {
        device.socket.send(&good[..length]).expect("sent");
    }
    good.push(0);
    device.socket.send(&good).expect("sent");
    sent += good.len() as u64;
    let stats = daemon.until("all taken", |stats| stats["frames"]["received"] == sent);
    let errors = stats["wireErrors"].as_object().expect("names");
    let counted: u64 = errors.values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(counted, sent, "{stats:#}");
    assert_eq!(stats["frames"]["sent"], 0);
    assert_eq!(device.connect(1).session, 1);
}

#[test]
fn wrong_versions_types_and_macs_are_told_apart() {
    let daemon = Daemon::start(&config());
    let device = Device::new(3, daemon.listen);
    let good = device.bytes(&device.hello(1));
    let spoil = |at: usize, byte: u8| {
        let mut frame = good.clone();
        frame[at] = byte;
        device.socket.send(&frame).expect("sent");
    };
    spoil(0, 2);
    spoil(1, 99);
    spoil(2, 1);
    spoil(11, 0x80);
    spoil(10, 9);
    spoil(good.len() - 1, good[good.len() - 1] ^ 1);
    // Signed by another device.
    spoil(7, good[7] ^ 1);
    let stats = daemon.until("all taken", |stats| stats["frames"]["received"] == 7);
    assert_eq!(
        stats["wireErrors"],
        json!({ "truncated": 0, "version": 1, "type": 1, "length": 1, "field": 1, "key-epoch": 1, "mac": 2 })
    );
    // A frame that only gateways send.
    device.send(&Frame::Bye { session: 1 });
    daemon.until("misdirected", |stats| stats["drops"]["misdirected"] == 1);
    // A device that there is not.
    let stranger = Device::new(1_000, daemon.listen);
    stranger.send(&stranger.hello(1));
    daemon.until("unknown", |stats| stats["drops"]["unknown-device"] == 1);
    assert_eq!(stranger.try_receive(A_WHILE), None);
}

#[test]
fn a_replayed_hello_redirects_no_answer() {
    for admission in ["slots", "open"] {
        let mut config = config();
        config["policy"]["admission"] = admission.into();
        let daemon = Daemon::start(&config);
        let device = Device::new(3, daemon.listen);
        device.connect(1);
        device.connect(2);
        let thief = Device::new(3, daemon.listen);
        for session in [1, 2] {
            thief.send(&device.hello(session));
        }
        thief.send(&device.readings(2, 0, 5));
        // Where nothing limits sessions, a copy of the newest HELLO is answered again, to the device.
        let ack = std::iter::repeat_with(|| device.receive()).find(|f| !matches!(f, Frame::Admit(_)));
        assert_eq!(ack, Some(Frame::Ack { session: 2, lane: Lane::Live, mark: 5 }), "{admission}");
        assert_eq!(device.deliver(2, 5, 5), 10);
        assert_eq!(thief.try_receive(A_WHILE), None, "{admission}");
    }
}

#[test]
fn keys_rotate_without_a_gap() {
    let daemon = Daemon::start(&config());
    let mut device = Device::new(3, daemon.listen);
    device.connect(1);
    let rotation = json!({ "rotateMasterKey": { "key": hex(NEXT_KEY), "epoch": 1 } });
    let (status, view) = daemon.patch(&rotation);
    assert_eq!((status, &view["keyEpoch"]), (200, &json!(1)));
    // The old key goes on, and its answers are signed with it.
    assert_eq!(device.deliver(1, 0, 5), 5);
    device.keys.rotate(NEXT_KEY, 1);
    device.key_epoch = 1;
    assert_eq!(device.deliver(1, 5, 5), 10);
    let another = json!({ "rotateMasterKey": { "key": hex([9; 16]), "epoch": 2 } });
    assert_eq!(daemon.patch(&another).0, 200);
    assert_eq!(device.deliver(1, 10, 5), 15);
    // Two rotations later the first key is worth nothing.
    let mut late = Device::new(4, daemon.listen);
    late.send(&late.hello(1));
    daemon.until("refused", |stats| stats["wireErrors"]["key-epoch"] == 1);
    late.keys = MasterKeys::new([9; 16], 2);
    late.key_epoch = 2;
    late.connect(1);
}

#[test]
fn what_another_gateway_was_asked_is_not_answered() {
    let mut config = config();
    config["publicAddress"] = "203.0.113.9".into();
    let daemon = Daemon::start(&config);
    let device = Device::new(3, daemon.listen);
    // It calls the gateway by the address that it sends to, which is not the public one.
    device.send(&device.hello(1));
    assert_eq!(device.try_receive(A_WHILE), None);
    let stats = daemon.stats();
    assert_eq!((&stats["drops"]["other-gateway"], &stats["gateway"]["hellos"]), (&1.into(), &0.into()));
    let Frame::Hello(mut hello) = device.hello(2) else { panic!("a HELLO") };
    hello.gateway = wire::gateway_number([203, 0, 113, 9].into());
    device.send(&Frame::Hello(hello));
    assert!(matches!(device.receive(), Frame::Admit(_)));
}
