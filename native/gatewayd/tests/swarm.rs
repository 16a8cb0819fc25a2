//! Daemons that know of each other.
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

#[path = "common/cluster.rs"]
mod cluster;
mod common;

use cluster::{Place, configs, member, sees, settle, time_until};
use common::{A_WHILE, Daemon, Device, NEXT_KEY, PATIENCE, hex, refused};
use klais_burst_sync::Frame;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Duration;

/// On addresses of the loopback that nobody else uses: this process's, this test's.
fn cluster() -> Vec<Value> {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let pid = std::process::id();
    let (high, low) = (64 + pid / 250 % 64, pid % 250);
    let place = || {
        let ip = format!("127.{high}.{low}.{}", NEXT.fetch_add(1, Relaxed));
        Place { data: format!("{ip}:7447"), gossip: format!("{ip}:7448") }
    };
    configs(&(0..3).map(|_| place()).collect::<Vec<_>>())
}

fn start(configs: &[Value]) -> Vec<Daemon> {
    configs.iter().map(Daemon::start).collect()
}

fn all(daemons: &[Daemon]) -> Vec<(usize, &Daemon)> {
    daemons.iter().enumerate().collect()
}

/// A device's next HELLO to a gateway, and what it answers.
fn hello(device: u32, session: u16, gateway: SocketAddr) -> Option<Frame> {
    let device = Device::new(device, gateway);
    device.send(&device.hello(session));
    device.try_receive(A_WHILE * 5)
}

fn is_redirected_to(answer: Option<Frame>, gateway: SocketAddr) -> bool {
    let Some(Frame::Redirect { address, port, .. }) = answer else { return false };
    let ip = IpAddr::from(Ipv6Addr::from(address)).to_canonical();
    SocketAddr::new(ip, port) == gateway
}

#[test]
fn a_killed_gateway_is_missed_its_shards_are_taken_over_and_given_back() {
    let configs = cluster();
    let mut daemons = start(&configs);
    settle(&all(&daemons));
    let home = daemons[2].listen;
    assert!(is_redirected_to(hello(2, 1, daemons[0].listen), home));
    assert!(is_redirected_to(hello(5, 1, daemons[1].listen), home));
    let Some(dead) = daemons.pop() else { panic!("three") };
    dead.signal(Signal::SIGKILL);
    let missed = time_until("missed", Duration::from_secs(3), || {
        daemons.iter().all(|daemon| member(&daemon.stats(), 2)["state"] == "down")
    });
    println!("killed: the others knew after {} ms", missed.as_millis());
    assert!(missed < Duration::from_secs(1), "{missed:?}");
    let _ = dead.end();
    for (n, device) in [2_u32, 5].into_iter().enumerate() {
        // Both survivors have taken one of the two.
        let owners: Vec<_> = daemons
            .iter()
            .filter(|daemon| matches!(hello(device, 2, daemon.listen), Some(Frame::Admit(_))))
            .map(|daemon| daemon.listen)
            .collect();
        assert_eq!(owners, [daemons[n].listen], "device {device}");
        let other = daemons[1 - n].listen;
        assert!(is_redirected_to(hello(device, 3, other), daemons[n].listen));
    }
    for daemon in &daemons {
        let stats = daemon.until("its share", |stats| sees(stats, &[0, 1]));
        assert_eq!(stats["gateway"]["takeovers"], 12, "its own at the start, and half the dead one's");
    }
    daemons.push(Daemon::start(&configs[2]));
    settle(&all(&daemons));
    assert!(is_redirected_to(hello(2, 4, daemons[0].listen), home));
    assert!(matches!(hello(2, 5, daemons[2].listen), Some(Frame::Admit(_))));
    let text = daemons[0].get("/metrics").1;
    assert!(text.contains("klais_swarm_members{state=\"alive\"} 3\n"), "{text}");
    assert!(
        text.contains("klais_swarm_refused_total{reason=\"mac\"} 0\n") && text.contains("klais_shards 8\n")
    );
}

#[test]
fn who_ends_says_so_and_who_sleeps_comes_back() {
    let configs = cluster();
    let mut daemons = start(&configs);
    settle(&all(&daemons));
    daemons[1].signal(Signal::SIGSTOP);
    let others = [&daemons[0], &daemons[2]];
    time_until("missed", PATIENCE, || others.iter().all(|daemon| sees(&daemon.stats(), &[0, 2])));
    daemons[1].signal(Signal::SIGCONT);
    settle(&all(&daemons));
    let stats = daemons[1].stats();
    assert_eq!(stats["swarm"]["gossip"]["expulsions"], 1, "it was told");
    // Each daemon has a mock of a broker to itself, so nobody has fenced it: it makes sure of that, and serves on.
    assert_eq!((&stats["gateway"]["takeovers"], &stats["gateway"]["fenced"]), (&8.into(), &0.into()));
    let Some(last) = daemons.pop() else { panic!("three") };
    last.signal(Signal::SIGTERM);
    let (status, _) = last.end();
    assert!(status.success());
    let missed = time_until("told", PATIENCE, || {
        daemons.iter().all(|daemon| member(&daemon.stats(), 2)["state"] == "down")
    });
    println!("ended: the others knew {} ms later", missed.as_millis());
    settle(&all(&daemons));
}

#[test]
fn hostile_bytes_at_the_gossip_port_change_nothing() {
    let configs = cluster();
    let daemons = start(&configs);
    settle(&all(&daemons));
    let gossip: SocketAddr =
        configs[0]["swarm"]["listen"].as_str().and_then(|at| at.parse().ok()).expect("one");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let mut bytes = [0; 1_500];
    for n in 0..20_000_u64 {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (at % 57)) as u8;
        }
        // A good version and a good sender are as many as get past the first checks.
        (bytes[0], bytes[2], bytes[3]) = (1, 0, (n % 3) as u8);
        let length = (n as usize * 7) % bytes.len();
        // A full buffer drops them.
        let _ = stranger.send_to(&bytes[..length], gossip);
    }
    let stats = daemons[0].until("counted", |stats| {
        let refused = stats["swarm"]["gossip"]["refused"].as_object().expect("reasons");
        refused.values().filter_map(Value::as_u64).sum::<u64>() > 100
    });
    assert_eq!(stats["swarm"]["gossip"]["refused"]["mac"], 0, "none came so far");
    assert_eq!(daemons[0].get("/health").0, 200);
    assert!(matches!(hello(3, 1, daemons[0].listen), Some(Frame::Admit(_))));
    settle(&all(&daemons));
    for daemon in &daemons {
        let stats = daemon.stats();
        assert_eq!(stats["gateway"]["takeovers"], 8, "no shard has changed hands");
        assert_eq!(stats["swarm"]["gossip"]["expulsions"], 0);
    }
}

#[test]
fn who_has_another_cluster_key_is_a_stranger() {
    for (key, epoch, reason) in [(hex(NEXT_KEY), 0, "mac"), (hex(cluster::CLUSTER_KEY), 9, "key-epoch")] {
        let mut configs = cluster();
        configs[2]["swarm"]["clusterKey"] = key.into();
        configs[2]["swarm"]["keyEpoch"] = epoch.into();
        let daemons = start(&configs);
        settle(&[(0, &daemons[0]), (1, &daemons[1])]);
        for daemon in &daemons[..2] {
            let stats = daemon.until("refused", |stats| {
                stats["swarm"]["gossip"]["refused"][reason].as_u64().is_some_and(|count| count > 0)
            });
            assert_eq!(
                (&member(&stats, 2)["state"], &stats["swarm"]["seesMajority"]),
                (&json!("unknown"), &json!(true))
            );
        }
        // It sees nobody, and takes everything that nobody keeps from it.
        let alone = daemons[2].until("alone", |stats| sees(stats, &[2]));
        assert_eq!(alone["swarm"]["seesMajority"], false);
    }
}

/// Sends HELLOs, each a new one.
fn hammer(device: u32, first: u16, count: u16, gateway: SocketAddr) {
    let device = Device::new(device, gateway);
    for session in first..first + count {
        device.send(&device.hello(session));
    }
}

#[test]
fn a_threat_that_two_have_seen_is_dropped_by_all_and_the_operator_may_pardon_it() {
    let daemons = start(&cluster());
    settle(&all(&daemons));
    let [at_home, beside, elsewhere] = [0, 1, 2].map(|n| &daemons[n]);
    let innocent = Device::new(6, at_home.listen);
    innocent.connect(1);
    hammer(9, 1_000, 60, beside.listen);
    beside.until("seen", |stats| stats["gateway"]["redirected"] == 60);
    assert_eq!(beside.stats()["swarm"]["threats"]["accused"], 0);
    hammer(9, 1_100, 140, at_home.listen);
    for daemon in &daemons {
        let stats = daemon.until("blocked", |stats| stats["swarm"]["threats"]["blocked"] == 1);
        assert_eq!(stats["swarm"]["threats"]["subjects"], json!(["device 9"]));
    }
    let detected = |daemon: &Daemon, name: &str| daemon.stats()["swarm"]["threats"][name].clone();
    assert_eq!(detected(at_home, "detected"), 1);
    assert_eq!((detected(beside, "detected"), detected(beside, "seconded")), (json!(0), json!(1)));
    assert_eq!((detected(elsewhere, "detected"), detected(elsewhere, "seconded")), (json!(0), json!(0)));
    assert_eq!(hello(9, 2_000, elsewhere.listen), None);
    assert_eq!(elsewhere.stats()["drops"]["blocked"], 1);
    assert_eq!(innocent.deliver(1, 0, 5), 5);
    // The operator of one gateway knows better.
    assert_eq!(elsewhere.patch(&json!({ "unblock": [9] })).0, 200);
    assert!(is_redirected_to(hello(9, 2_001, elsewhere.listen), at_home.listen));
    let stats = elsewhere.stats();
    assert_eq!(
        (&stats["swarm"]["threats"]["blocked"], &stats["swarm"]["threats"]["wrongBlocks"]),
        (&json!(0), &json!(1))
    );
    // What the operator blocks is his, and stays when the swarm lets go.
    assert_eq!(at_home.patch(&json!({ "block": [9] })).0, 200);
    assert_eq!(hello(9, 2_002, at_home.listen), None);
}

#[test]
fn forged_frames_block_their_address_and_copies_blame_no_device() {
    let daemons = start(&cluster());
    settle(&all(&daemons));
    let forger = UdpSocket::bind("127.9.9.9:0").expect("a socket");
    let mut stranger = Device::new(1, daemons[0].listen);
    stranger.keys = klais_burst_sync::wire::MasterKeys::new(NEXT_KEY, 0);
    for (gateway, count) in [(1, 80), (0, 300)] {
        for session in 0..count {
            let bytes = stranger.bytes(&stranger.hello(session));
            forger.send_to(&bytes, daemons[gateway].listen).expect("sent");
        }
    }
    for daemon in &daemons {
        daemon.until("blocked", |stats| stats["swarm"]["threats"]["subjects"] == json!(["127.9.9.9/32"]));
    }
    let before = daemons[2].stats()["drops"]["prefix"].as_u64().expect("a count");
    forger.send_to(b"anything", daemons[2].listen).expect("sent");
    daemons[2].until("dropped", |stats| stats["drops"]["prefix"] == before + 1);

    // Recorded on the way, and sent again from everywhere: a HELLO, and a reading.
    let device = Device::new(4, daemons[1].listen);
    device.connect(1);
    assert_eq!(device.deliver(1, 0, 5), 5);
    let hello_again = device.bytes(&device.hello(1));
    let reading_again = device.bytes(&device.readings(1, 0, 5));
    let thieves = |rounds: u32| {
        (0..rounds).for_each(|n| {
            let thief = UdpSocket::bind((format!("127.8.8.{}", n % 9 + 1), 0)).expect("a socket");
            for _ in 0..5 {
                thief.send_to(&hello_again, daemons[1].listen).expect("sent");
                thief.send_to(&reading_again, daemons[1].listen).expect("sent");
            }
        })
    };
    thieves(30);
    let stats = daemons[1].until("blocked", |stats| stats["swarm"]["threats"]["blocked"] == 3);
    let subjects = stats["swarm"]["threats"]["subjects"].as_array().expect("subjects");
    let frames = subjects.iter().filter(|name| name.as_str().is_some_and(|name| name.starts_with("frame ")));
    assert_eq!(frames.count(), 2, "{subjects:?}");
    thieves(1);
    daemons[1].until("dropped", |stats| stats["drops"]["frame"].as_u64().is_some_and(|count| count > 0));
    // Between the answers to the copies.
    device.send(&device.readings(1, 5, 5));
    time_until("it is served", PATIENCE, || matches!(device.receive(), Frame::Ack { mark: 10, .. }));
}

fn hex_of(bytes: [u8; 32]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).concat()
}

/// What is replaced in a good configuration (the last such place), by what, and what is said to that: key and problem.
fn mistakes(good: &Value) -> Vec<(String, String, &'static str, String)> {
    let key = |n: u8| hex_of(klais_swarm::SigningSeed::new([n; 32]).public_key());
    let row = |n: usize, leaf: &str| format!("\"{leaf}\": {}", good["swarm"]["roster"][n][leaf]);
    let gossip = |address: &str| format!("\"gossip\": \"{address}\"");
    let mut all = Vec::new();
    let mut with = |from: &str, to: &str, key, problem: &str| {
        all.push((from.to_owned(), to.to_owned(), key, problem.to_owned()));
    };
    with(&row(0, "publicKey"), "\"publicKey\": \"00\"", "swarm.roster[0].publicKey", "64 hexadecimal");
    with(&key(3), &"0".repeat(64), "swarm.roster[2].publicKey", "no Ed25519 key");
    with(&hex_of([2; 32]), &hex_of([7; 32]), "swarm.signingSeed", &key(7));
    with(&row(2, "gossip"), &row(0, "gossip"), "swarm.roster[2].gossip", "gateway 0 as well");
    with(&row(2, "gossip"), &gossip("0.0.0.0:7448"), "swarm.roster[2].gossip", "no address");
    with(&row(2, "gossip"), &gossip("[::1]:7448"), "swarm.roster[2].gossip", "cannot be reached");
    with(&row(1, "gossip"), &gossip("127.0.0.1:9"), "swarm.listen", "take gossip");
    with(&row(2, "gateway"), &row(0, "gateway"), "swarm.roster[2].gateway", "twice");
    with(&row(2, "gateway"), "\"gateway\": 3", "swarm.roster[2].gateway", "count from 0");
    with(&row(2, "data"), "\"data\": 7", "swarm.roster[2].data", "socket address");
    let begin = "\"roster\": [";
    for (to, key, problem) in [
        ("\"fanout\": 0,", "swarm.fanout", "at least 1"),
        ("\"threats\": { \"quorum\": 1 },", "swarm.threats.quorum", "at least 2"),
        ("\"timings\": { \"probeRttMicros\": 100000 },", "swarm.timings.probeRttMicros", "below"),
        ("\"detect\": { \"eventsFloor\": 0 },", "swarm.detect.eventsFloor", "at least 1"),
        ("\"timing\": {},", "swarm.timing", "unknown field"),
    ] {
        with(begin, &format!("{to} {begin}"), key, problem);
    }
    all
}

#[test]
fn a_wrong_swarm_is_refused_with_file_line_and_key() {
    let good = cluster().swap_remove(1);
    let good_text = serde_json::to_string_pretty(&good).expect("JSON");
    for (from, to, key, problem) in mistakes(&good) {
        let at = good_text.rfind(&from).unwrap_or_else(|| panic!("{from}"));
        let text = format!("{}{to}{}", &good_text[..at], &good_text[at + from.len()..]);
        let (code, said) = refused(&text);
        assert_eq!((code, said.lines().count()), (2, 1), "{said}");
        assert!(said.contains(&format!(": {key}: ")) && said.contains(&problem), "{key} {to}: {said}");
        let place = said.split(".json:").nth(1).and_then(|place| place.split(':').next());
        let line: usize = place.and_then(|line| line.parse().ok()).expect("a line");
        let named = text.lines().nth(line - 1).expect("that line");
        let leaf = key.rsplit('.').next().expect("a leaf");
        assert!(named.contains(leaf), "{key}: {line}: {named}: {said}");
        assert!(!said.contains(&hex_of([2; 32])) && !said.contains("0303"), "{said}");
    }
    let mut fewer = good.clone();
    fewer["swarm"]["roster"].as_array_mut().expect("rows").pop();
    let (_, said) = refused(&fewer.to_string());
    assert!(said.contains("swarm.roster: 2 rows for 3 gateways"), "{said}");
    let mut elsewhere = good.clone();
    elsewhere["gatewayAddresses"] = json!(["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]);
    let (_, said) = refused(&elsewhere.to_string());
    assert!(said.contains("gatewayAddresses: must be the same"), "{said}");
    let taken = UdpSocket::bind(good["swarm"]["listen"].as_str().expect("one")).expect("a socket");
    let (_, said) = refused(&good_text);
    assert!(said.contains("swarm.listen") && said.contains("in use"), "{said}");
    drop(taken);
}

#[test]
fn a_signing_seed_can_be_had() {
    let daemon = || std::process::Command::new(env!("CARGO_BIN_EXE_klais-gatewayd"));
    let made = |_| {
        let output = daemon().arg("--new-signing-seed").output().expect("the daemon");
        assert!(output.status.success());
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let [one, other] = [0, 1].map(made);
    assert_ne!(one["signingSeed"], other["signingSeed"]);
    let mut configs = cluster();
    configs[0]["swarm"]["signingSeed"] = one["signingSeed"].clone();
    configs[0]["swarm"]["roster"][0]["publicKey"] = one["publicKey"].clone();
    assert_eq!(Daemon::start(&configs[0]).ready["ready"], true);
    assert_eq!(daemon().output().expect("the daemon").status.code(), Some(2), "it wants to know what to do");
}
