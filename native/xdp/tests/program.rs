//! Packets of all kinds through the program: what is not ours is not touched, what is ours and wrong is dropped for its
//! reason, and no two CPUs together let through more than one would.

mod common;

use common::{Dice, FIRST_READING, FRAMINGS, Framing, MASTER, PORT, bytes, header_bytes, kernel, packet};
use klais_burst_sync::wire::{MasterKeys, gateway_number};
use klais_burst_sync::{Frame, Hello};
use klais_dam::{Dam, DamConfig, Limit, SessionMode};
use klais_xdp::{Filter, FilterConfig, Key};
use serde_json::Value;

const PASS: u32 = 2;
const DROP: u32 = 1;
const SECOND: u64 = 1_000_000_000;

fn config(devices: u32) -> DamConfig {
    DamConfig {
        device: Some(Limit::per_second(1_000, 1_000)),
        live: Some(Limit::per_second(100, 50)),
        global: Some(Limit::per_second(1_000, 1_000)),
        sessions: Some(Limit::per_second(1, 1)),
        session_mode: SessionMode::Slots,
        cookie_key: *b"a key of the dam",
        ..DamConfig::open(devices)
    }
}

fn hello(session: u16) -> Frame {
    Frame::Hello(Hello { session, epoch: 0, backlog: 9, cookie: None, acked: (0, 0), gateway: 0 })
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).expect("hex")).collect()
}

/// Every vector of the wire format that a device could send, through a fresh program under the vector's key.
#[test]
#[ignore = "needs root and Linux"]
fn shared_vectors_get_the_verdict_that_the_page_gives_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/wire-v1.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("vectors")).expect("JSON");
    let mut checked = 0;
    for vector in file["valid"].as_array().into_iter().chain(file["invalid"].as_array()).flatten() {
        let bytes = hex(vector["hex"].as_str().expect("hex"));
        // What the first bytes say, not what the vector was made from.
        let kind = match bytes.get(1) {
            Some(1) => "HELLO",
            Some(5) => "DATA",
            _ => continue,
        };
        // Few of the devices named exist where memory is to be had: take those that do.
        let device = vector["device"].as_u64().expect("a device");
        if device >= 1 << 20 {
            continue;
        }
        let key = hex(vector["masterKey"].as_str().expect("a key")).try_into().expect("16 bytes");
        let epoch = vector["keyEpoch"].as_u64().expect("an epoch") as u8;
        let filter = Filter::load(&FilterConfig {
            dam: DamConfig::open(1 << 20),
            slots: true,
            port: PORT,
            gateway: 0,
            master: Key { key, epoch },
            origin_nanos: 0,
            scale: 1,
            test: true,
        })
        .expect("a filter: these tests need root");
        Dam::over(DamConfig::open(1 << 20), filter.tables()).expect("a dam over the kernel's memory");
        let run = filter.test_run(&packet(Framing::Ipv4, &bytes)).expect("a run");
        let name = vector["name"].as_str().expect("a name");
        let expected = match (vector["error"].as_str(), kind) {
            // The MAC of DATA is user space's to check.
            (Some("mac" | "key-epoch"), "DATA") => continue,
            (Some(error), "HELLO" | "DATA") => error,
            (None, "HELLO") => "pass-hello",
            (None, "DATA") if vector["fields"]["count"] == 0 => "pass-keep-alive",
            (None, "DATA") => "pass-data",
            _ => continue,
        };
        assert_eq!(run.outcome, expected, "{name}");
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
#[ignore = "needs root and Linux"]
fn a_hello_cut_at_any_byte_opens_nothing() {
    let (filter, dam) = kernel(&config(4), true);
    let frame = bytes(&hello(1), 1, &MasterKeys::new(MASTER, 3), 3, &[]);
    for framing in FRAMINGS {
        let whole = packet(framing, &frame);
        for size in 14..whole.len() {
            let run = filter.test_run(&whole[..size]).expect("a run");
            let is_foreign = run.outcome.starts_with("foreign-");
            assert!(is_foreign || run.action == DROP, "{framing:?} cut at {size}: {}", run.outcome);
            assert_eq!(run.packet, whole[..size]);
        }
        for size in 0..frame.len() {
            // The headers are right, the frame is short.
            let run = filter.test_run(&packet(framing, &frame[..size])).expect("a run");
            assert_eq!(run.outcome, if size < 28 { "truncated" } else { "length" }, "{framing:?} {size}");
        }
    }
    assert_eq!((dam.slot_word(1), dam.tats()), (0, [0; 5]));
}

#[test]
#[ignore = "needs root and Linux"]
fn foreign_packets_pass_unchanged() {
    let (filter, dam) = kernel(&config(4), true);
    let frame = bytes(&hello(1), 1, &MasterKeys::new(MASTER, 3), 3, &[]);
    let mut others = Vec::new();
    for framing in FRAMINGS {
        let mut other_port = packet(framing, &frame);
        let port = header_bytes(framing) - 6;
        other_port[port..port + 2].copy_from_slice(&53_u16.to_be_bytes());
        others.push(("foreign-udp", other_port));
    }
    let change = |at: usize, to: &[u8]| {
        let mut packet = packet(Framing::Ipv4, &frame);
        packet[at..at + to.len()].copy_from_slice(to);
        packet
    };
    others.push(("foreign-ipv4", change(23, &[6])));
    others.push(("foreign-ipv4", change(23, &[1])));
    others.push(("foreign-fragment", change(20, &[0x00, 0x05])));
    others.push(("foreign-arp", change(12, &[0x08, 0x06])));
    others.push(("foreign-non-ip", change(12, &[0x88, 0xcc])));
    others.push(("foreign-runt", change(12, &[0x08, 0x00])[..20].to_vec()));
    let mut ipv6_tcp = packet(Framing::Ipv6, &frame);
    ipv6_tcp[20] = 6;
    others.push(("foreign-ipv6", ipv6_tcp));
    for (name, other) in &others {
        let run = filter.test_run(other).expect("a run");
        assert_eq!((run.outcome, run.action), (*name, PASS));
        assert_eq!(&run.packet, other, "{name}");
    }
    let counted: u64 = filter.counters().expect("counters").iter().map(|(_, count)| count.packets).sum();
    assert_eq!(counted, others.len() as u64);
    assert_eq!(dam.tats(), [0; 5]);
}

#[test]
#[ignore = "needs root and Linux"]
fn any_bytes_at_all_are_counted_once_and_never_answered() {
    let (filter, dam) = kernel(&config(4), true);
    let mut dice = Dice::new(11);
    for n in 0..100_000_u64 {
        let size = 14 + dice.below(200) as usize;
        let mut packet: Vec<u8> = (0..size).map(|_| dice.any() as u8).collect();
        if dice.one_in(2) {
            packet[12..14].copy_from_slice(&dice.of(&[[8_u8, 0], [0x86, 0xdd], [0x81, 0], [0x88, 0xa8]]));
        }
        let run = filter.test_run(&packet).expect("a run");
        assert!(run.action == PASS || run.action == DROP, "packet {n}: {}", run.outcome);
        assert_eq!(run.packet, packet);
    }
    let counted: u64 = filter.counters().expect("counters").iter().map(|(_, count)| count.packets).sum();
    assert_eq!((counted, dam.tats()), (100_000, [0; 5]));
}

#[test]
#[ignore = "needs root and Linux"]
fn two_threads_let_through_what_one_would() {
    let (filter, _dam) = kernel(&config(4), true);
    let keys = MasterKeys::new(MASTER, 3);
    let live = Frame::Data(FIRST_READING);
    let packet = packet(Framing::Ipv4, &bytes(&live, 1, &keys, 3, &[7]));
    let mut passed = 0;
    for second in 1..=20 {
        filter.set_test_now(second * SECOND);
        passed += std::thread::scope(|scope| {
            let send =
                || (0..200).filter(|_| filter.test_run(&packet).is_ok_and(|run| run.action == PASS)).count();
            let threads = [scope.spawn(send), scope.spawn(send)];
            threads.into_iter().map(|thread| thread.join().expect("a thread")).sum::<usize>()
        });
    }
    // 50 at once, and no more than the burst comes back between two of these seconds.
    assert_eq!(passed, 20 * 50);
}

/// The same rotations there and here: which keys are good afterwards, the one of a number given twice included.
#[test]
#[ignore = "needs root and Linux"]
fn keys_rotate_in_the_kernel_as_in_user_space() {
    let (mut filter, _dam) = kernel(&config(4), true);
    let key = |n: u8| [n; 16];
    let mut keys = MasterKeys::new(MASTER, 3);
    let mut ever = vec![(MASTER, 3)];
    for (n, epoch) in [(1, 4), (2, 4), (3, 4), (4, 5), (5, 3), (6, 3), (7, 6)] {
        keys.rotate(key(n), epoch);
        filter.rotate_master_key(Key { key: key(n), epoch });
        ever.push((key(n), epoch));
        let mut good = 0;
        for (session, (master, epoch)) in (u16::from(n) * 100..).zip(&ever) {
            let frame = bytes(&hello(session), 1, &MasterKeys::new(*master, *epoch), *epoch, &[]);
            let run = filter.test_run(&packet(Framing::Ipv4, &frame)).expect("a run");
            let refused = klais_burst_sync::wire::open(&frame, &keys).err().map(|error| error.name());
            let outcome = Some(run.outcome).filter(|outcome| ["key-epoch", "mac"].contains(outcome));
            assert_eq!(outcome, refused, "after rotation {n}: the key of {master:?}");
            good += usize::from(refused.is_none());
        }
        assert_eq!(good, 2, "after rotation {n}");
    }
}

/// What one gateway was asked is no use at another, where it would be new and take up a slot.
#[test]
#[ignore = "needs root and Linux"]
fn a_hello_for_another_gateway_moves_nothing() {
    let [ours, other] = [[10, 77, 0, 1], [10, 77, 1, 1]].map(|ip| gateway_number(ip.into()));
    let keys = MasterKeys::new(MASTER, 3);
    let filter = Filter::load(&FilterConfig {
        dam: config(4),
        slots: true,
        port: PORT,
        gateway: ours,
        master: Key { key: MASTER, epoch: 3 },
        origin_nanos: 0,
        scale: 1,
        test: true,
    })
    .expect("a filter: these tests need root");
    let dam = Dam::over(config(4), filter.tables()).expect("a dam over the kernel's memory");
    let run = |gateway| {
        let Frame::Hello(plain) = hello(1) else { panic!("a HELLO") };
        let frame = bytes(&Frame::Hello(Hello { gateway, ..plain }), 1, &keys, 3, &[]);
        filter.test_run(&packet(Framing::Ipv4, &frame)).expect("a run").outcome
    };
    for gateway in [other, 0, ours.swap_bytes()] {
        assert_eq!(run(gateway), "misdirected");
        assert_eq!((dam.slot_word(1), dam.tats()), (0, [0; 5]));
    }
    assert_eq!(run(ours), "pass-hello");
}

/// A shard that another gateway serves costs nothing here: its HELLOs and DATA pass as they are, but signed they must be.
#[test]
#[ignore = "needs root and Linux"]
fn what_is_another_gateways_passes_uncharged() {
    let (mut filter, dam) = kernel(&config(100), true);
    filter.set_elsewhere(7, |shard| shard == 3).expect("room for seven");
    assert!(filter.set_elsewhere(Filter::SHARDS_MAX + 1, |_| false).is_err());
    filter.set_test_now(SECOND);
    let keys = MasterKeys::new(MASTER, 3);
    let run = |device, frame: &Frame| {
        let payload: &[u8] = if matches!(frame, Frame::Data(_)) { &[7; 12] } else { &[] };
        filter.test_run(&packet(Framing::Ipv4, &bytes(frame, device, &keys, 3, payload))).expect("a run")
    };
    for session in 1..4 {
        let passed = run(10, &hello(session));
        assert_eq!((passed.action, passed.outcome), (PASS, "pass-elsewhere"));
        assert_eq!(run(10, &Frame::Data(FIRST_READING)).outcome, "pass-elsewhere");
    }
    assert_eq!((dam.slot_word(10), dam.device_tat(10)), (0, 0));
    let forged = packet(Framing::Ipv4, &bytes(&hello(9), 10, &MasterKeys::new([1; 16], 3), 3, &[]));
    assert_eq!(filter.test_run(&forged).expect("a run").outcome, "mac");
    // The one session of this second is still to be had.
    assert_eq!(run(11, &hello(1)).outcome, "pass-hello");
    assert_eq!(run(12, &hello(1)).outcome, "defer");
}
