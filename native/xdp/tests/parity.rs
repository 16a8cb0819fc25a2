//! The dam in the kernel and the dam in user space: the same packets, the same answers, the same state after each.

mod common;

use common::{Dice, FRAMINGS, MASTER, answer_payload, bytes, kernel, packet};
use klais_burst_sync::wire::{self, MasterKeys, WireError};
use klais_burst_sync::{Cookie, Data, Defer, Frame, Hello, Lane};
use klais_dam::{Dam, DamConfig, Emission, Limit, SessionMode, Shift};
use klais_gateway::{Drop, Ingress, ingress};
use klais_xdp::{Filter, Key};

/// Both tests together; KLAIS_PARITY_VECTORS raises it.
const VECTORS: u64 = 5_000_000;
const VECTORS_PER_SETUP: u64 = 25_000;
const DEVICES: u32 = 70;
const SECOND: u64 = 1_000_000_000;
/// `xdp_action`.
const DROP: u32 = 1;
const PASS: u32 = 2;
const TX: u32 = 3;

/// A fleet's side of the test: what its devices remember.
struct Fleet {
    cookies: Vec<Option<Cookie>>,
    sessions: Vec<u16>,
    epochs: Vec<u16>,
}

/// Both dams, and what is needed to speak to them.
struct Pair {
    filter: Filter,
    in_kernel: Dam,
    own: Dam,
    keys: MasterKeys,
    slots: bool,
    burst: u32,
    now: u64,
}

fn limit(dice: &mut Dice) -> Option<Limit> {
    let rate = dice.of(&[1, 3, 7, 900, 1_000_003, 5_000_000, 50_000_000]);
    let burst = dice.of(&[1, 2, 16, 1_000, 1_351, 100_000]);
    let limit = match dice.below(8) {
        0 => return None,
        // The slowest that there is, and the fastest that is a round interval.
        1 => Limit::per_period(1, 100 * 24 * 3_600 * SECOND, 1),
        2 => Limit::per_second(500_000_000, burst),
        _ => Limit::per_second(rate, burst),
    };
    // Some would take longer to refill than a bucket can say: the dam refuses those.
    Some(limit).filter(|limit| Emission::new(*limit, Shift::DAM).is_ok())
}

fn setup(dice: &mut Dice) -> Pair {
    let config = DamConfig {
        device: limit(dice),
        control: None,
        live: limit(dice),
        backfill: limit(dice),
        global: limit(dice),
        sessions: limit(dice),
        session_mode: dice.of(&[
            SessionMode::Slots,
            SessionMode::Slots,
            SessionMode::Drop,
            SessionMode::Open,
        ]),
        session_window_nanos: dice.of(&[1, SECOND, 10 * SECOND]),
        horizon_nanos: dice.of(&[
            1,
            60 * SECOND,
            24 * 3_600 * SECOND,
            24 * 3_600 * SECOND,
            7 * 24 * 3_600 * SECOND,
        ]),
        cookie_key: *b"a key of the dam",
        key_epoch: 1,
        ..DamConfig::open(DEVICES)
    };
    let slots = dice.one_in(2);
    let (filter, in_kernel) = kernel(&config, slots);
    let burst = [config.device, config.live, config.global].into_iter().flatten().map(|l| l.burst).min();
    let own = Dam::new(config).expect("a dam");
    let burst = burst.unwrap_or(1_000).min(1_351) as u32;
    Pair { filter, in_kernel, own, keys: MasterKeys::new(MASTER, 3), slots, burst, now: dice.below(SECOND) }
}

/// Steps around the intervals of the limits, and jumps either way.
fn next_now(dice: &mut Dice, now: u64) -> u64 {
    match dice.below(64) {
        0 => now.saturating_sub(dice.below(8 * 3_600 * SECOND)),
        1 => now.saturating_add(dice.below(8 * 3_600 * SECOND)),
        2 if dice.one_in(200) => u64::MAX - dice.below(3),
        3 if dice.one_in(50) => 0,
        4..16 => now,
        16..32 => now.saturating_add(dice.below(10)),
        32..48 => now.saturating_add(dice.below(2_000_000)),
        48..56 => {
            now.saturating_add(dice.of(&[999_999_999, SECOND, 1_999_999_999, 333_333_333, 142_857_143]))
        }
        _ => now.saturating_add(dice.below(10 * SECOND)),
    }
}

impl Fleet {
    fn new() -> Self {
        let count = DEVICES as usize;
        Self { cookies: vec![None; count], sessions: vec![0; count], epochs: vec![0; count] }
    }

    fn hello(&mut self, dice: &mut Dice, device: u32) -> Hello {
        let n = device as usize % DEVICES as usize;
        if dice.one_in(2) {
            self.sessions[n] = self.sessions[n].wrapping_add(1);
        }
        if dice.one_in(200) {
            self.epochs[n] = self.epochs[n].wrapping_add(1);
        }
        // Now and then a copy of an earlier one, or one from far off.
        let session = match dice.below(16) {
            0 => self.sessions[n].wrapping_sub(dice.below(4) as u16),
            1 if dice.one_in(20) => dice.any() as u16,
            _ => self.sessions[n],
        };
        let mut cookie = self.cookies[n];
        match dice.below(16) {
            0 => cookie = self.cookies[dice.below(u64::from(DEVICES)) as usize],
            1 => cookie = Some(Cookie { slot: dice.any() as u32 & 0x3fff_ffff, mac: dice.any() }),
            2 => cookie = cookie.map(|c| Cookie { slot: c.slot.wrapping_add(1), ..c }),
            3..5 => cookie = None,
            _ => {}
        }
        Hello {
            session,
            epoch: self.epochs[n],
            backlog: dice.any() as u16,
            cookie,
            acked: (1, 2),
            gateway: 0,
        }
    }
}

fn data(dice: &mut Dice, burst: u32) -> Data {
    let count = match dice.below(8) {
        0 => 0,
        1 => burst,
        2 => burst + 1,
        3 => dice.below(1_353) as u32,
        _ => 1 + dice.below(20) as u32,
    };
    Data {
        session: 1,
        lane: dice.of(&[Lane::Live, Lane::Backfill]),
        prev: 0,
        first: 0,
        count: count.min(1_352) as u16,
        stride: 1,
        due_millis: 0,
        gap: false,
        round: 0,
        term: klais_burst_sync::TermEcho::default(),
    }
}

/// What user space makes of the bytes: the counter's name, and the answer.
fn expected(pair: &Pair, bytes: &[u8]) -> (String, Option<Frame>) {
    let parsed = match wire::parse(bytes) {
        // What only gateways send is not looked at further.
        Err(WireError::Length | WireError::Field) if matches!(bytes[1], 2..=4 | 6..=8) => {
            return ("misdirected".to_owned(), None);
        }
        Ok(parsed) => parsed,
        Err(error) => return (error.name().to_owned(), None),
    };
    let device = parsed.device;
    let is_hello = matches!(parsed.frame, Frame::Hello(_));
    if let (true, Err(reason)) = (is_hello, pair.own.knows(device)) {
        return (reason.name().to_owned(), None);
    }
    if let (true, Err(error)) = (is_hello, wire::open(bytes, &pair.keys)) {
        return (error.name().to_owned(), None);
    }
    match ingress(&pair.own, pair.slots, pair.now, device, &parsed.frame) {
        Ingress::Answer(frame) => ("defer".to_owned(), Some(frame)),
        Ingress::Drop(Drop::Dam(reason)) => (reason.name().to_owned(), None),
        Ingress::Drop(own) => {
            assert_eq!(own, Drop::Misdirected);
            ("misdirected".to_owned(), None)
        }
        Ingress::Accept => {
            let name = match parsed.frame {
                Frame::Hello(_) => "pass-hello",
                Frame::Data(data) if data.count == 0 => "pass-keep-alive",
                _ => "pass-data",
            };
            (name.to_owned(), None)
        }
    }
}

/// One packet through both, and everything compared.
fn vector(dice: &mut Dice, pair: &mut Pair, fleet: &mut Fleet) -> String {
    pair.now = next_now(dice, pair.now);
    let device =
        if dice.one_in(64) { DEVICES + dice.below(3) as u32 } else { dice.below(u64::from(DEVICES)) as u32 };
    let (frame, payload) = match dice.below(16) {
        0 => (Frame::Bye { session: 1 }, Vec::new()),
        1..9 => (Frame::Hello(fleet.hello(dice, device)), Vec::new()),
        _ => {
            let data = data(dice, pair.burst);
            (Frame::Data(data), vec![7; usize::from(data.count)])
        }
    };
    let epoch = if pair.keys.epoch() == 4 && dice.one_in(4) { 3 } else { pair.keys.epoch() };
    let mut bytes = bytes(&frame, device, &pair.keys, epoch, &payload);
    if dice.one_in(16) {
        let at = dice.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << dice.below(8);
    }
    if dice.one_in(64) {
        bytes.truncate(dice.below(bytes.len() as u64) as usize);
    }
    let framing = dice.of(&FRAMINGS);
    let request = packet(framing, &bytes);
    pair.filter.set_test_now(pair.now);
    let run = pair.filter.test_run(&request).expect("a run");
    let (name, answer) = expected(pair, &bytes);
    let at = || format!("seed {} vector {} at {}: {frame:?} of {device}", dice.seed, dice.count, pair.now);
    assert_eq!(run.outcome, name, "{}", at());
    match answer {
        Some(expected) => {
            assert_eq!(run.action, TX);
            let answer = answer_payload(framing, &request, &run.packet);
            let opened = wire::open(&answer, &pair.keys).expect("an answer that the device can read");
            assert_eq!((opened.frame, opened.device), (expected, device), "{}", at());
            assert_eq!(opened.key_epoch, bytes[10]);
            if let Frame::Defer(Defer { cookie, .. }) = expected {
                fleet.cookies[device as usize] = Some(cookie);
            }
        }
        None => {
            assert_eq!(run.action, if name.starts_with("pass") { PASS } else { DROP }, "{}", at());
            assert_eq!(run.packet, request, "{}", at());
        }
    }
    let named = wire::parse(&bytes).map_or(device, |parsed| parsed.device);
    for device in [device, named] {
        assert_eq!(pair.in_kernel.slot_word(device), pair.own.slot_word(device), "{}", at());
        assert_eq!(pair.in_kernel.device_tat(device), pair.own.device_tat(device), "{}", at());
    }
    assert_eq!(pair.in_kernel.tats(), pair.own.tats(), "{}", at());
    name
}

#[expect(clippy::disallowed_methods, reason = "how long to test is the caller's choice")]
fn vectors() -> u64 {
    std::env::var("KLAIS_PARITY_VECTORS").ok().and_then(|n| n.parse().ok()).unwrap_or(VECTORS)
}

fn run(first_seed: u64) {
    let mut outcomes = std::collections::BTreeMap::new();
    let mut done = 0;
    for seed in first_seed.. {
        if done >= vectors() / 2 {
            break;
        }
        let mut dice = Dice::new(seed);
        let (mut pair, mut fleet) = (setup(&mut dice), Fleet::new());
        for n in 0..VECTORS_PER_SETUP {
            if n == VECTORS_PER_SETUP / 2 {
                pair.keys.rotate(*b"the next secret.", 4);
                pair.filter.rotate_master_key(Key { key: *b"the next secret.", epoch: 4 });
                pair.own.rotate_key(*b"the dam's second", 2);
                pair.in_kernel.rotate_key(*b"the dam's second", 2);
                pair.filter.rotate_cookie_key(Key { key: *b"the dam's second", epoch: 2 });
            }
            if dice.one_in(500) {
                let device = dice.below(u64::from(DEVICES)) as u32;
                let block = dice.one_in(2);
                for dam in [&pair.own, &pair.in_kernel] {
                    if block {
                        dam.block(device)
                    } else {
                        dam.unblock(device)
                    };
                }
            }
            *outcomes.entry(vector(&mut dice, &mut pair, &mut fleet)).or_insert(0_u64) += 1;
        }
        done += VECTORS_PER_SETUP;
    }
    println!("{done} vectors: {outcomes:?}");
    // A comparison that never saw a verdict says nothing about it.
    let seen =
        ["pass-hello", "pass-data", "pass-keep-alive", "defer", "blocked", "unknown-device", "invalid-cost"];
    let rates = ["device-rate", "class-rate", "global-rate", "session-rate", "horizon", "replayed"];
    let wire = WireError::ALL.map(WireError::name);
    for name in seen.iter().chain(&rates).chain(&wire).chain(&["misdirected"]) {
        assert!(outcomes.get(*name).is_some_and(|n| *n > 100), "{name} was hardly seen: {outcomes:?}");
    }
}

#[test]
#[ignore = "needs root and Linux"]
fn kernel_and_user_space_agree_on_the_first_half() {
    run(1);
}

#[test]
#[ignore = "needs root and Linux"]
fn kernel_and_user_space_agree_on_the_second_half() {
    run(1_000_000);
}
