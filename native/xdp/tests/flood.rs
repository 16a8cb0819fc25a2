//! A flood at the program while a fleet comes back: every honest device gets the very answers that it gets without.

mod common;

use common::{Dice, FIRST_READING, Framing, MASTER, answer_payload, bytes, kernel, packet};
use klais_burst_sync::wire::{MasterKeys, open};
use klais_burst_sync::{Cookie, Frame, Hello};
use klais_dam::{Dam, DamConfig, Limit, SessionMode};
use klais_xdp::Filter;
use std::collections::{BTreeMap, BTreeSet};

const DEVICES: u32 = 2_000;
const SESSIONS_PER_SECOND: u32 = 200;
const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;
/// The clock of the program ticks so.
const TICK: u64 = 4 * MILLI;
const TX: u32 = 3;
/// Hostile packets before each of an honest device.
const FLOOD_PER_PACKET: usize = 150;
const EPOCH: u8 = 3;

fn config() -> DamConfig {
    DamConfig {
        sessions: Some(Limit::per_second(SESSIONS_PER_SECOND.into(), 10)),
        session_mode: SessionMode::Slots,
        cookie_key: *b"a key of the dam",
        ..DamConfig::open(DEVICES)
    }
}

/// The attacker: whoever has no key that is good.
struct Attacker {
    dice: Dice,
    old: MasterKeys,
    overheard: Vec<Vec<u8>>,
    sent: BTreeMap<&'static str, u64>,
}

impl Attacker {
    fn new(seed: u64) -> Self {
        let old = MasterKeys::new(*b"an older secret.", EPOCH - 2);
        Self { dice: Dice::new(seed), old, overheard: Vec::new(), sent: BTreeMap::new() }
    }

    fn hello(&mut self, cookie: Option<Cookie>) -> Frame {
        let session = self.dice.below(1 << 16) as u16;
        Frame::Hello(Hello { session, epoch: 0, backlog: 9, cookie, acked: (0, 0), gateway: 0 })
    }

    /// A hostile payload, and its kind.
    fn payload(&mut self) -> (&'static str, Vec<u8>) {
        let device = self.dice.below(DEVICES.into()) as u32;
        match self.dice.below(6) {
            0 => ("spoofed", self.signed_at_random(device, None)),
            1 => {
                // A slot of the future that nobody has given.
                let cookie = Cookie { slot: self.dice.any() as u32, mac: self.dice.any() };
                ("forged cookie", self.signed_at_random(device, Some(cookie)))
            }
            2 => {
                let frame = self.hello(None);
                ("old key", bytes(&frame, device, &self.old, EPOCH - 2, &[]))
            }
            3 => {
                let mut frame = self.signed_at_random(device, None);
                let at = self.dice.of(&[0, 1, 2, 3, 10, 11, 30]);
                frame[at] = self.dice.any() as u8 | 0x80;
                ("header that lies", frame)
            }
            4 => {
                let mut frame = self.signed_at_random(device, None);
                frame.truncate(self.dice.below(56) as usize);
                ("cut short", frame)
            }
            _ => match self.overheard.len() {
                0 => ("spoofed", self.signed_at_random(device, None)),
                n => ("replayed", self.overheard[self.dice.below(n as u64) as usize].clone()),
            },
        }
    }

    fn signed_at_random(&mut self, device: u32, cookie: Option<Cookie>) -> Vec<u8> {
        let key: [u8; 16] = std::array::from_fn(|_| self.dice.any() as u8);
        let frame = self.hello(cookie);
        bytes(&frame, device, &MasterKeys::new(key, EPOCH), EPOCH, &[])
    }

    fn flood(&mut self, filter: &Filter) {
        for _ in 0..FLOOD_PER_PACKET {
            let (kind, payload) = self.payload();
            let run = filter.test_run(&packet(Framing::Ipv4, &payload)).expect("a run");
            *self.sent.entry(kind).or_default() += 1;
            assert_ne!(run.outcome, "pass-hello", "{kind} opened a session");
            if run.action == TX {
                assert_eq!(
                    kind, "replayed",
                    "only what its own device has sent is answered, and as it was then"
                );
            }
        }
    }
}

/// What an honest device was told: after which time, and how.
type Told = (u64, u32, &'static str);

/// A fleet that comes back within a second; each device knocks, and returns when it was told to.
fn restart(filter: &Filter, mut attacker: Option<&mut Attacker>) -> BTreeMap<u32, Vec<Told>> {
    let keys = MasterKeys::new(MASTER, EPOCH);
    let mut dice = Dice::new(11);
    let mut due: BTreeSet<(u64, u32)> = (0..DEVICES).map(|device| (dice.below(SECOND), device)).collect();
    let mut cookies: BTreeMap<u32, Cookie> = BTreeMap::new();
    let mut told: BTreeMap<u32, Vec<Told>> = BTreeMap::new();
    while let Some((now, device)) = due.pop_first() {
        filter.set_test_now(now / TICK * TICK);
        if let Some(attacker) = attacker.as_deref_mut() {
            attacker.flood(filter);
        }
        let heard = told.entry(device).or_default();
        let cookie = cookies.get(&device).copied();
        let session = heard.len() as u16 + 1;
        let frame = Frame::Hello(Hello { session, epoch: 0, backlog: 9, cookie, acked: (0, 0), gateway: 0 });
        let payload = bytes(&frame, device, &keys, EPOCH, &[]);
        let request = packet(Framing::Ipv4, &payload);
        let run = filter.test_run(&request).expect("a run");
        let mut delay_millis = 0;
        if run.action == TX {
            let answer = answer_payload(Framing::Ipv4, &request, &run.packet);
            let Frame::Defer(defer) = open(&answer, &keys).expect("a frame").frame else { panic!("a DEFER") };
            delay_millis = defer.delay_millis;
            cookies.insert(device, defer.cookie);
            due.insert((now + u64::from(delay_millis) * MILLI + dice.below(20 * MILLI), device));
        } else {
            assert_eq!(run.outcome, "pass-hello", "device {device}");
        }
        heard.push((now, delay_millis, run.outcome));
        if let Some(attacker) = attacker.as_deref_mut() {
            attacker.overheard.push(payload);
        }
    }
    told
}

fn slots(dam: &Dam) -> Vec<u64> {
    (0..DEVICES).map(|device| dam.slot_word(device)).collect()
}

#[test]
#[ignore = "needs root and Linux"]
fn no_honest_device_loses_its_slot_to_a_flood() {
    let (quiet, quiet_dam) = kernel(&config(), true);
    let (flooded, flooded_dam) = kernel(&config(), true);
    let mut attacker = Attacker::new(5);
    let without = restart(&quiet, None);
    let with = restart(&flooded, Some(&mut attacker));
    assert_eq!(without, with);
    assert_eq!(slots(&quiet_dam), slots(&flooded_dam));
    assert_eq!(quiet_dam.tats(), flooded_dam.tats());
    let last = without.values().filter_map(|told| told.last()).map(|(at, ..)| *at).max();
    println!(
        "{} devices, all back after {:.2} s with and without {:?}",
        without.len(),
        last.unwrap_or(0) as f64 / SECOND as f64,
        attacker.sent
    );
    assert!(attacker.sent.values().sum::<u64>() > 500_000 && attacker.sent.len() == 6);
}

/// Without a key nobody charges a bucket for HELLOs. DATA is another thing: its MAC is for user space to check.
#[test]
#[ignore = "needs root and Linux"]
fn what_a_forger_can_spend_is_his_victims_data_rate_and_no_slot() {
    let limited = DamConfig { device: Some(Limit::per_second(100, 100)), ..config() };
    let (filter, dam) = kernel(&limited, true);
    let (before, tats) = (slots(&dam), dam.tats());
    let wrong = MasterKeys::new(*b"a wrong secret..", EPOCH);
    for device in 0..DEVICES {
        let payload = bytes(&Frame::Data(FIRST_READING), device, &wrong, EPOCH, &[0; 12]);
        assert_eq!(filter.test_run(&packet(Framing::Ipv4, &payload)).expect("a run").outcome, "pass-data");
    }
    assert_eq!(slots(&dam), before);
    assert_eq!(dam.tats()[4], tats[4], "the bucket of sessions");
}
