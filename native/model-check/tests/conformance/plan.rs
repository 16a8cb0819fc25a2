//! What a walk is, and how its devices and gateways are set.

use crate::chance::Chance;
use klais_burst_sync::{Backoff, BackoffKind, DeviceConfig, Overflow, Schedule, Storage};
use klais_dam::DamConfig;
use klais_gateway::GatewayConfig;
use klais_model_check::{GATEWAYS, Ring, Rule, Start};

const SECOND: u64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
pub struct Walk {
    pub devices: usize,
    pub readings: u8,
    pub start: Start,
    pub ring: Ring,
    /// The model's, not the code's: a difference must be seen.
    pub broken: Option<Rule>,
}

/// What walks came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub moves: u64,
    pub admits: u64,
    pub commits: u64,
    pub unknown: u64,
    pub takeovers: u64,
    pub resumed: u64,
    pub fenced: u64,
    pub stored: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.moves += other.moves;
        self.admits += other.admits;
        self.commits += other.commits;
        self.unknown += other.unknown;
        self.takeovers += other.takeovers;
        self.resumed += other.resumed;
        self.fenced += other.fenced;
        self.stored += other.stored;
    }

    /// Or nothing was shown.
    pub fn assert_busy(&self) {
        let least =
            [self.admits, self.commits, self.unknown, self.takeovers, self.resumed, self.fenced, self.stored];
        assert!(least.iter().all(|n| *n >= 100), "{self:?}");
    }
}

pub fn device_config(chance: &mut Chance, walk: &Walk) -> DeviceConfig {
    let period = 5 * SECOND;
    let storage = if walk.ring == Ring::Flash { Storage::Flash } else { Storage::Volatile };
    DeviceConfig {
        schedule: Schedule::new(period, period, 1 << 20, chance.below(1 << 40)),
        key: chance.below(1 << 40),
        keep_alive_micros: 0,
        storage,
        buffer_readings: 1_000,
        overflow: Overflow::DropOldest,
        sensing_backup: true,
        backoff: Backoff { kind: BackoffKind::Fixed, base_micros: 300_000, cap_micros: SECOND },
        hello_timeout_micros: SECOND,
        hello_timeout_max_micros: 2 * SECOND,
        request_timeout_micros: SECOND,
        retransmissions_max: chance.below(4) as u8,
        window_frames: chance.between(1, 3) as u8,
        frame_readings: chance.between(1, 3) as u8,
        live_first: true,
        gateways: GATEWAYS as u16,
    }
}

pub fn gateway_config(gateway: u32, devices: usize) -> GatewayConfig {
    let devices = devices as u32;
    GatewayConfig {
        gateway,
        gateways: GATEWAYS as u32,
        shards: 1,
        devices,
        dam_by_shard: true,
        assume_online: false,
        addresses: Vec::new(),
        dam: DamConfig::open(devices),
        deduplicate: true,
        slots: true,
        controller: klais_gateway::ControllerConfig::Fixed,
        capacity_per_second: 1_000_000,
        overbook_permille: 1_000,
        sink_queue_readings: 1_000,
        undecided_frames_max: 1_000,
        backfill_queue_readings: 1_000,
        frame_readings: 3,
        commit_interval_micros: 100_000,
        commit_offset_micros: 0,
        batch_readings_max: 1_000,
        standby_devices_max: 4,
        batches_in_flight_max: 1,
        pending_hellos_max: 4,
    }
}
