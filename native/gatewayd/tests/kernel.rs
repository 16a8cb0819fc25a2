//! The daemon with its filter in the kernel, and devices at the other end of a cable.
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

mod common;
#[path = "common/filtered.rs"]
mod filtered;
#[path = "../../xdp/tests/common/network.rs"]
mod network;

use common::{A_WHILE, Daemon, Device, KEY, NEXT_KEY, hex};
use filtered::{device, filtered};
use klais_burst_sync::wire::MasterKeys;
use klais_burst_sync::{Frame, NackReason};
use network::{DEVICE_LINK, GATEWAY, GATEWAY_V6, Network};
use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::net::UdpSocket;

/// From now on a session every 100 seconds: however slow this machine is, the next HELLO is deferred.
fn slow_down(daemon: &Daemon) {
    let limit = json!({ "events": 1, "periodNanos": 100_000_000_000_u64, "burst": 1 });
    assert_eq!(daemon.patch(&json!({ "limits": { "sessions": limit } })).0, 200);
}

fn packets(stats: &Value, name: &str) -> u64 {
    stats["kernel"][name]["packets"].as_u64().unwrap_or_else(|| panic!("no {name}: {stats:#}"))
}

/// Sends a frame that must not come through, and waits until the kernel has counted it under this name.
fn is_stopped(daemon: &Daemon, device: &Device, frame: &Frame, name: &str) {
    let before = daemon.stats();
    device.send(frame);
    let after = daemon.until(name, |stats| packets(stats, name) == packets(&before, name) + 1);
    assert_eq!(after["frames"], before["frames"], "user space saw it");
}

#[test]
#[ignore = "needs root and Linux"]
fn a_wave_of_hellos_is_answered_by_the_kernel_and_data_is_acknowledged() {
    for mode in ["native", "generic", "auto"] {
        let network = Network::new();
        network.at_gateway(|| {
            let daemon = Daemon::start(&filtered(mode));
            let place = if mode == "auto" { "native" } else { mode };
            assert_eq!((&daemon.ready["xdp"], &daemon.ready["reason"]), (&json!(place), &Value::Null));
            let first = device(&network, 0, daemon.listen);
            slow_down(&daemon);
            first.connect(1);
            assert_eq!(first.deliver(1, 0, 5), 5);
            let before = daemon.stats();
            for id in 1..=20 {
                let device = device(&network, id, daemon.listen);
                device.send(&device.hello(1));
                assert!(device.deferred().delay_millis > 0);
            }
            let after = daemon.stats();
            assert_eq!(after["frames"], before["frames"], "user space saw none of it");
            assert_eq!((packets(&after, "pass-hello"), packets(&after, "defer")), (1, 20));
            assert_eq!(
                (&after["gateway"]["hellos"], &after["gateway"]["deferred"]),
                (&json!(21), &json!(20))
            );
            assert_eq!((&after["gateway"]["offered"], &after["sink"]["readings"]), (&json!(5), &json!(5)));
            assert_eq!(after["kernel"]["pass-data"], json!({ "packets": 1, "readings": 5 }));
            let (_, metrics) = daemon.get("/metrics");
            assert!(metrics.contains("klais_kernel_packets_total{reason=\"defer\"} 20\n"), "{metrics}");
            assert!(metrics.contains(&format!("klais_xdp{{mode=\"{place}\"}} 1\n")), "{metrics}");
            let health: Value = serde_json::from_str(&daemon.get("/health").1).expect("JSON");
            assert_eq!(health, json!({ "healthy": true, "xdp": place, "reason": null }));
        });
    }
}

#[test]
#[ignore = "needs root and Linux"]
fn a_deferred_device_comes_back_with_its_cookie_and_passes() {
    let network = Network::new();
    network.at_gateway(|| {
        let daemon = Daemon::start(&filtered("native"));
        let limit = json!({ "events": 1, "periodNanos": 3_000_000_000_u64, "burst": 1 });
        assert_eq!(daemon.patch(&json!({ "limits": { "sessions": limit } })).0, 200);
        let late = device(&network, 1, daemon.listen);
        device(&network, 0, daemon.listen).connect(1);
        late.send(&late.hello(1));
        let promise = late.deferred();
        std::thread::sleep(std::time::Duration::from_millis(u64::from(promise.delay_millis)));
        late.send(&late.hello_with(2, promise.cookie));
        assert!(matches!(late.receive(), Frame::Admit(_)));
        assert_eq!(late.deliver(2, 0, 3), 3);
        // A copy of what it sent opens nothing, and moves nobody.
        is_stopped(&daemon, &late, &late.hello_with(2, promise.cookie), "replayed");
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn ipv6_goes_the_same_way() {
    let network = Network::new();
    network.at_gateway(|| {
        let mut config = filtered("native");
        config["listen"] = format!("[{GATEWAY_V6}]:7447").into();
        let daemon = Daemon::start(&config);
        let devices = [0, 1].map(|id| {
            let socket = network.at_devices(|| UdpSocket::bind("[fd77::2]:0").expect("a socket"));
            Device::over(id, socket, daemon.listen)
        });
        slow_down(&daemon);
        devices[0].connect(1);
        assert_eq!(devices[0].deliver(1, 0, 5), 5);
        devices[1].send(&devices[1].hello(1));
        devices[1].deferred();
        assert_eq!(packets(&daemon.stats(), "defer"), 1);
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn what_is_blocked_or_limited_is_so_in_the_kernel() {
    let network = Network::new();
    network.at_gateway(|| {
        let daemon = Daemon::start(&filtered("native"));
        let patch = |body: Value| assert_eq!(daemon.patch(&body).0, 200, "{body}");
        let device = device(&network, 7, daemon.listen);
        device.connect(1);
        patch(json!({ "block": [7] }));
        is_stopped(&daemon, &device, &device.readings(1, 0, 1), "blocked");
        is_stopped(&daemon, &device, &device.hello(2), "blocked");
        patch(json!({ "unblock": [7], "blockPrefixes": ["10.80.0.0/24", "fd00::/8"] }));
        is_stopped(&daemon, &device, &device.readings(1, 0, 1), "prefix");
        patch(json!({ "unblockPrefixes": ["10.80.0.0/24"] }));
        assert_eq!(device.deliver(1, 0, 1), 1);
        patch(json!({ "limits": { "live": { "events": 1, "periodNanos": 1_000_000_000_000_u64, "burst": 1 } } }));
        // Two are more than ever come at once.
        let second = device.readings(1, 1, 2);
        is_stopped(&daemon, &device, &second, "invalid-cost");
        patch(json!({ "capacityPerSecond": 100_000, "sessionsPerSecond": 10_000 }));
        assert_eq!(device.deliver(1, 1, 2), 3);
        for id in 100..120 {
            self::device(&network, id, daemon.listen).connect(1);
        }
        let (_, view) = daemon.patch(&json!({}));
        assert_eq!((&view["blocked"], &view["blockedPrefixes"]), (&json!(0), &json!(["fd00::/8"])));
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn keys_rotate_without_a_gap() {
    let network = Network::new();
    network.at_gateway(|| {
        let mut config = filtered("native");
        config["policy"]["sessionsPerSecond"] = 10_000.into();
        let daemon = Daemon::start(&config);
        let mut device = device(&network, 1, daemon.listen);
        let rotate = |key: [u8; 16], epoch: u8| {
            let (status, view) =
                daemon.patch(&json!({ "rotateMasterKey": { "key": hex(key), "epoch": epoch } }));
            assert_eq!((status, &view["keyEpoch"]), (200, &json!(epoch)));
        };
        device.connect(1);
        rotate(NEXT_KEY, 1);
        assert_eq!(device.deliver(1, 0, 2), 2, "the old key is good still");
        device.connect(2);
        device.keys = MasterKeys::new(NEXT_KEY, 1);
        device.key_epoch = 1;
        assert_eq!(device.deliver(2, 2, 2), 4, "the new one as well, within a session");
        device.connect(3);
        rotate([9; 16], 2);
        assert_eq!(device.deliver(3, 4, 2), 6);
        device.connect(4);
        let stale = self::device(&network, 2, daemon.listen);
        assert_eq!((stale.keys.epoch(), KEY), (0, [7; 16]));
        is_stopped(&daemon, &stale, &stale.hello(1), "key-epoch");
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn frames_come_by_the_filtered_interface_alone() {
    let network = Network::new();
    network.at_gateway(|| {
        // Another cable, by which the gateway's address can be reached as well.
        let other =
            ["link", "add", "klgw1", "type", "veth", "peer", "name", "kldev1", "netns", network.devices()];
        network.ip_at_gateway(&other);
        network.ip_at_gateway(&["addr", "add", "10.78.0.1/24", "dev", "klgw1"]);
        network.ip_at_gateway(&["link", "set", "klgw1", "up"]);
        network.ip_at_devices(&["addr", "add", "10.78.0.2/24", "dev", "kldev1"]);
        network.ip_at_devices(&["link", "set", "kldev1", "up"]);
        network.ip_at_devices(&["route", "add", GATEWAY, "dev", DEVICE_LINK, "metric", "1"]);
        network.ip_at_devices(&["route", "add", GATEWAY, "via", "10.78.0.1", "dev", "kldev1", "metric", "9"]);
        let beside = || {
            network.at_devices(|| {
                let socket = UdpSocket::bind("10.78.0.2:0").expect("a socket");
                setsockopt(&socket, sockopt::BindToDevice, &OsString::from("kldev1")).expect("a device");
                socket
            })
        };
        let mut config = filtered("off");
        let daemon = Daemon::start(&config);
        Device::over(3, beside(), daemon.listen).connect(1);
        drop(daemon);
        config["xdp"] = "native".into();
        let daemon = Daemon::start(&config);
        let device = Device::over(3, beside(), daemon.listen);
        device.send(&device.hello(1));
        assert_eq!(device.try_receive(A_WHILE), None);
        assert_eq!(daemon.stats()["frames"]["received"], 0);
        self::device(&network, 4, daemon.listen).connect(1);
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn a_fleet_that_was_online_before_is_known_to_the_kernel() {
    let network = Network::new();
    network.at_gateway(|| {
        let mut config = filtered("native");
        config["assumeOnline"] = true.into();
        let daemon = Daemon::start(&config);
        let device = device(&network, 5, daemon.listen);
        assert_eq!(device.deliver(1, 0, 4), 4);
        is_stopped(&daemon, &device, &device.hello(1), "replayed");
        device.send(&device.readings(9, 4, 1));
        assert!(matches!(device.receive(), Frame::Nack(nack) if nack.reason == NackReason::NoSession));
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn before_its_origin_both_clocks_stand_at_zero() {
    let network = Network::new();
    network.at_gateway(|| {
        let mut config = filtered("native");
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock").tv_sec();
        config["originNanos"] = format!("{}000000000", now + 3_600).into();
        config["timeScale"] = 10_000.into();
        let daemon = Daemon::start(&config);
        for id in 0..4 {
            let device = device(&network, id, daemon.listen);
            device.send(&device.hello(1));
            match device.receive() {
                Frame::Admit(_) => assert_eq!(id, 0),
                // Were time to pass, 10,000 seconds of it would do so in one.
                Frame::Defer(defer) => assert_eq!(defer.delay_millis, id * 1_000),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(daemon.get("/health").0, 200);
        daemon.signal(Signal::SIGTERM);
        let (status, _) = daemon.end();
        assert!(status.success());
    });
}
