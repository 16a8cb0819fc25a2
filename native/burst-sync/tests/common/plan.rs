//! What happens in a run, drawn from its seed.

use super::chance::Chance;
use klais_burst_sync::{Backoff, BackoffKind, DeviceConfig, Overflow, Schedule, Storage};

const SECOND: u64 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Marks.
    Marks,
    /// No marks: a plain proxy.
    Proxy,
}

#[derive(Clone, Copy, Debug)]
pub enum Power {
    On { boot_micros: u64 },
    Off,
}

/// Chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: u64,
    pub doubled: u64,
    /// Frames that come seconds late.
    pub stray: u64,
    pub jitter_micros: u64,
    pub abort: u64,
    pub later: u64,
    pub overlooked: u64,
    pub defer: u64,
    pub bye: u64,
    pub no_credit: u64,
    pub little_credit: u64,
    pub reset: u64,
}

#[derive(Debug)]
pub struct Plan {
    pub mode: Mode,
    pub config: DeviceConfig,
    pub devices: u32,
    pub power: Vec<(u64, u32, Power)>,
    /// When the gateway is down.
    pub down: Vec<(u64, u64)>,
    pub faults: Faults,
    /// Connections that keep the order until they break, instead of single frames that get lost.
    pub in_order: bool,
    pub latency_micros: u64,
    pub commit_micros: u64,
    /// From here on everything works.
    pub healed_at: u64,
    pub end: u64,
    /// Devices begin with a session instead of without power.
    pub begins_online: bool,
    /// HELLOs that each device spends on nobody before the run begins.
    pub hellos_before: u32,
}

impl Plan {
    pub fn new(seed: u64, mode: Mode) -> Self {
        let mut chance = Chance::new(seed);
        let devices = chance.between(1, 4) as u32;
        let config = config(&mut chance, devices, mode);
        let healed_at = chance.between(20, 200) * SECOND;
        let calm = chance.per_mille(150);
        let in_order = mode == Mode::Proxy && chance.per_mille(500);
        let faults = if calm { Faults::default() } else { faults(&mut chance, in_order) };
        let patience = config.request_timeout_micros << config.retransmissions_max;
        let quiet = 2 * patience + 150 * SECOND + 3 * config.backoff.cap_micros;
        let begins_online = chance.per_mille(400);
        let mut plan = Self {
            mode,
            config,
            devices,
            power: Vec::new(),
            down: Vec::new(),
            faults,
            in_order,
            latency_micros: chance.between(1_000, 80_000),
            commit_micros: chance.pick(&[5_000, 50_000, 400_000, 2 * SECOND]),
            healed_at,
            end: healed_at + quiet + chance.below(10 * SECOND),
            begins_online,
            hellos_before: if chance.per_mille(60) { 65_530 } else { 0 },
        };
        plan.cut_power(&mut chance);
        plan.take_down_the_gateway(&mut chance);
        plan
    }

    fn cut_power(&mut self, chance: &mut Chance) {
        for device in 0..self.devices {
            let mut powered = self.begins_online;
            let mut at = 0;
            let pause = chance.pick(&[2 * SECOND, 20 * SECOND, 100 * SECOND]);
            loop {
                at += 1 + chance.below(pause);
                if at >= self.healed_at {
                    break;
                }
                self.power.push((at, device, power(chance, !powered)));
                powered = !powered;
            }
            if !powered {
                self.power.push((self.healed_at, device, power(chance, true)));
            }
        }
        self.power.sort_by_key(|(at, device, _)| (*at, *device));
    }

    fn take_down_the_gateway(&mut self, chance: &mut Chance) {
        let mut at = 0;
        for _ in 0..chance.below(6) {
            at += chance.below(self.healed_at / 3);
            let up = at + chance.pick(&[1, 100_000, 3 * SECOND, 20 * SECOND]);
            if up < self.healed_at {
                self.down.push((at, up));
                at = up + 1;
            }
        }
    }
}

fn power(chance: &mut Chance, on: bool) -> Power {
    if on { Power::On { boot_micros: chance.below(3 * SECOND) } } else { Power::Off }
}

fn faults(chance: &mut Chance, in_order: bool) -> Faults {
    Faults {
        loss: chance.pick(&[0, 10, 100, 300]),
        doubled: if in_order { 0 } else { chance.pick(&[0, 10, 200, 600]) },
        stray: if in_order { 0 } else { chance.pick(&[0, 0, 20, 100, 400]) },
        jitter_micros: chance.pick(&[0, 1_000, 100_000, 1_000_000]),
        abort: chance.pick(&[0, 50, 300]),
        later: chance.pick(&[0, 0, 100, 500]),
        overlooked: chance.pick(&[0, 0, 50]),
        defer: chance.pick(&[0, 0, 300, 800]),
        bye: chance.pick(&[0, 0, 0, 20]),
        no_credit: chance.pick(&[0, 0, 300]),
        little_credit: chance.pick(&[0, 0, 500]),
        reset: chance.pick(&[0, 0, 5]),
    }
}

fn config(chance: &mut Chance, devices: u32, mode: Mode) -> DeviceConfig {
    let kinds = [
        BackoffKind::None,
        BackoffKind::Fixed,
        BackoffKind::Exponential,
        BackoffKind::FullJitter,
        BackoffKind::EqualJitter,
        BackoffKind::Decorrelated,
    ];
    let proxy = mode == Mode::Proxy;
    let buffer_readings = match chance.below(3) {
        0 => chance.between(1, 10),
        1 => chance.between(10, 80),
        _ => 65_535,
    };
    let (window_frames, frame_readings) = if chance.per_mille(300) {
        (chance.pick(&[1, 2]), chance.pick(&[1, 2]))
    } else {
        (chance.between(1, 8) as u8, chance.between(1, 64) as u8)
    };
    // A window that small carries no more.
    let fastest = if u64::from(window_frames) * u64::from(frame_readings) < 4 { 2 * SECOND } else { 250_000 };
    let reading_micros = chance.pick(&[fastest, 2 * SECOND, 5 * SECOND]);
    let report_micros = reading_micros * chance.between(1, 6);
    let config = DeviceConfig {
        schedule: Schedule::new(reading_micros, report_micros, devices, chance.below(u64::MAX)),
        key: chance.below(u64::MAX),
        keep_alive_micros: chance.pick(&[0, 0, 700_000, 5 * SECOND]),
        storage: chance.pick(&[Storage::Flash, Storage::Flash, Storage::Volatile]),
        buffer_readings: buffer_readings as u16,
        overflow: chance.pick(&[Overflow::DropOldest, Overflow::DropNewest, Overflow::Decimate]),
        sensing_backup: chance.per_mille(500),
        backoff: Backoff {
            kind: chance.pick(&kinds),
            base_micros: chance.between(10_000, SECOND),
            cap_micros: chance.between(SECOND, 10 * SECOND),
        },
        hello_timeout_micros: chance.between(200_000, 2 * SECOND),
        hello_timeout_max_micros: chance.between(2 * SECOND, 8 * SECOND),
        request_timeout_micros: chance.between(300_000, 3 * SECOND),
        retransmissions_max: if proxy { 0 } else { chance.between(0, 3) as u8 },
        window_frames,
        frame_readings,
        live_first: !proxy,
        gateways: 1,
    };
    assert_eq!(config.check(), Ok(()));
    config
}
