//! What becomes of the filter when something else ends: the daemon, the interface, the right to attach.
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

mod common;
#[path = "common/filtered.rs"]
mod filtered;
#[path = "../../xdp/tests/common/network.rs"]
mod network;

use common::{A_WHILE, Daemon, config_file, refused, refused_by};
use filtered::{device, filtered};
use network::{DEVICE_LINK, GATEWAY, GATEWAY_LINK, Network};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::net::UdpSocket;
use std::process::Command;

#[test]
#[ignore = "needs root and Linux"]
fn killed_at_once_it_leaves_no_filter_and_traffic_flows() {
    let network = Network::new();
    network.at_gateway(|| {
        let daemon = Daemon::start(&filtered("native"));
        assert!(network.has_program());
        let (listen, device) = (daemon.listen, device(&network, 1, daemon.listen));
        daemon.signal(Signal::SIGKILL);
        daemon.end();
        assert!(!network.has_program());
        let stack = UdpSocket::bind(listen).expect("the port is free");
        stack.set_read_timeout(Some(common::PATIENCE)).expect("a timeout");
        device.socket.send(b"no frame at all").expect("sent");
        let mut bytes = [0; 64];
        assert_eq!(stack.recv(&mut bytes).expect("it flows"), 15);
        drop(stack);
        let next = Daemon::start(&filtered("native"));
        assert_eq!(next.ready["xdp"], "native");
        device.connect(1);
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn stopped_it_takes_the_filter_with_it() {
    let network = Network::new();
    network.at_gateway(|| {
        let daemon = Daemon::start(&filtered("native"));
        let device = device(&network, 1, daemon.listen);
        device.connect(1);
        device.deliver(1, 0, 3);
        daemon.signal(Signal::SIGTERM);
        let (status, last) = daemon.end();
        assert!(status.success());
        assert_eq!(last.expect("last words")["sink"]["readings"], 3);
        assert!(!network.has_program());
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn when_the_interface_goes_user_space_goes_on_with_what_the_kernel_knew() {
    let network = Network::new();
    network.at_gateway(|| {
        let daemon = Daemon::start(&filtered("native"));
        let devices = [0, 1, 2, 3].map(|id| device(&network, id, daemon.listen));
        // However slow this machine is, the next ones are deferred.
        let limit = json!({ "events": 1, "periodNanos": 100_000_000_000_u64, "burst": 1 });
        assert_eq!(daemon.patch(&json!({ "limits": { "sessions": limit } })).0, 200);
        devices[0].connect(1);
        devices[1].send(&devices[1].hello(1));
        let promise = devices[1].deferred();
        devices[2].send(&devices[2].hello(1));
        let later = devices[2].deferred();
        assert!(later.delay_millis > promise.delay_millis);
        assert_eq!(daemon.patch(&json!({ "block": [3], "blockPrefixes": ["10.80.9.0/24"] })).0, 200);
        network.ip_at_devices(&["link", "del", "dev", DEVICE_LINK]);
        let stats = daemon.until("it is said", |stats| stats["xdp"] == "off");
        let reason = stats["reason"].as_str().expect("a reason");
        assert!(reason.contains(GATEWAY_LINK) && reason.contains("gone"), "{reason}");
        assert_eq!(stats["kernel"]["defer"]["packets"], 2, "what was counted stays");
        for (path, key) in [("/health", "healthy"), ("/ready", "ready")] {
            let (status, body) = daemon.get(path);
            let body: Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!((status, &body[key], &body["xdp"]), (200, &json!(true), &json!("off")));
            assert_eq!(body["reason"], reason);
        }
        network.cable();
        // The slots were promised by the kernel: user space keeps its word, and its queue goes on where it stood.
        devices[2].send(&devices[2].hello_with(2, later.cookie));
        assert_eq!(devices[2].deferred().cookie, later.cookie);
        devices[1].send(&devices[1].hello(2));
        assert_eq!(devices[1].deferred().cookie, promise.cookie);
        devices[0].send(&devices[0].hello(1));
        devices[3].send(&devices[3].hello(1));
        let stats = daemon.until("both are dropped", |stats| {
            (&stats["drops"]["replayed"], &stats["drops"]["blocked"]) == (&json!(1), &json!(1))
        });
        assert_eq!((&stats["gateway"]["hellos"], &stats["gateway"]["deferred"]), (&json!(7), &json!(4)));
        assert_eq!(devices[0].deliver(1, 0, 2), 2, "its session is up still");
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn of_two_daemons_on_an_interface_the_second_refuses_or_does_without() {
    let network = Network::new();
    network.at_gateway(|| {
        let first = Daemon::start(&filtered("native"));
        let mut config = filtered("native");
        config["listen"] = format!("{GATEWAY}:7448").into();
        for mode in ["native", "generic"] {
            config["xdp"] = mode.into();
            let (code, said) = refused(&config.to_string());
            assert_eq!((code, said.lines().count()), (2, 1), "{said}");
            assert!(said.contains("another XDP program") && said.contains(GATEWAY_LINK), "{said}");
        }
        config["xdp"] = "auto".into();
        let second = Daemon::start(&config);
        assert_eq!(second.ready["xdp"], "off");
        let reason = second.ready["reason"].as_str().expect("a reason");
        assert!(reason.contains("another XDP program"), "{reason}");
        device(&network, 1, second.listen).connect(1);
        device(&network, 1, first.listen).connect(1);
        assert_eq!(first.stats()["xdp"], "native");
        drop(first);
        assert!(!network.has_program());
        assert_eq!(second.stats()["gateway"]["online"], 1);
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn where_it_cannot_be_attached_auto_does_without_and_the_rest_refuses() {
    let network = Network::new();
    network.at_gateway(|| {
        network.take_jumbo();
        let cases = [
            (GATEWAY_LINK, "MTU 9000", "generic"),
            ("lo", "cannot run XDP programs", "generic"),
            ("kl-no-such", "no interface kl-no-such", "off"),
        ];
        for (interface, problem, instead) in cases {
            let mut config = filtered("native");
            config["interface"] = interface.into();
            let (code, said) = refused(&config.to_string());
            assert_eq!((code, said.lines().count()), (2, 1), "{said}");
            assert!(said.contains("XDP cannot be had") && said.contains(problem), "{said}");
            config["xdp"] = "auto".into();
            let daemon = Daemon::start(&config);
            assert_eq!(daemon.ready["xdp"], instead, "{interface}");
            let reason = daemon.ready["reason"].as_str().expect("a reason");
            assert!(reason.contains(problem), "{reason}");
            device(&network, 1, daemon.listen).connect(1);
        }
    });
}

#[test]
#[ignore = "needs root and Linux"]
fn without_the_right_to_attach_it_says_which_is_missing() {
    let network = Network::new();
    network.at_gateway(|| {
        let powerless = || {
            let mut command = Command::new("setpriv");
            command.args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_klais-gatewayd")]);
            command
        };
        let file = config_file(&filtered("native").to_string());
        let (code, said) = refused_by(powerless(), &file);
        let _ = std::fs::remove_file(file);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("not permitted") && said.contains("CAP_BPF"), "{said}");
        let daemon = Daemon::start_by(powerless(), &filtered("auto"));
        assert_eq!(daemon.ready["xdp"], "off");
        let device = device(&network, 1, daemon.listen);
        device.connect(1);
        device.send(&device.hello(1));
        assert_eq!(device.try_receive(A_WHILE), None, "user space drops the copy");
        daemon.until("it is counted", |stats| stats["drops"]["replayed"] == 1);
    });
}
