//! What a seed does to a gateway: settings, faults, restarts and power cuts.

use super::SECOND;
use super::chance::Chance;
use super::world::{Faults, Plan};
use klais_burst_sync::{Backoff, BackoffKind, DeviceConfig, Overflow, Schedule, Storage};

/// A plan for a seed.
pub fn plan(seed: u64) -> Plan {
    let mut chance = Chance::new(!seed);
    let devices = chance.between(1, 5) as u32;
    let healed_at = chance.between(20, 120) * SECOND;
    let device = device_config(&mut chance, devices);
    let mut gateway = super::config(devices);
    gateway.slots = chance.per_mille(700);
    gateway.producers = chance.between(1, 4) as usize;
    gateway.capacity_per_second = chance.pick(&[40, 200, 1_000]);
    gateway.sink_queue_readings = chance.pick(&[300, 1_000, 100_000]);
    gateway.backfill_queue_readings = chance.pick(&[20, 200, 10_000]);
    gateway.batch_readings_max = chance.pick(&[20, 200, 10_000]);
    gateway.standby_devices_max = chance.pick(&[0, 1, 16]);
    gateway.pending_hellos_max = chance.pick(&[1, 16]);
    gateway.commit_interval_micros = chance.pick(&[10_000, 100_000, SECOND]);
    let faults = Faults {
        loss: chance.pick(&[0, 20, 100, 300]),
        doubled: chance.pick(&[0, 20, 200]),
        jitter_micros: chance.pick(&[0, 50_000, SECOND]),
        abort: chance.pick(&[0, 100, 500]),
        slow_commit_micros: chance.pick(&[0, 500_000, 4 * SECOND]),
    };
    let restarts = (0..chance.below(5)).map(|_| chance.below(healed_at)).collect();
    let mut power = Vec::new();
    for id in 0..devices {
        let mut at = 0;
        for _ in 0..chance.below(4) {
            let off = at + 1 + chance.below(healed_at / 3);
            at = off + chance.pick(&[1, SECOND, 10 * SECOND]);
            if at < healed_at {
                power.push((off, id, false));
                power.push((at, id, true));
            }
        }
    }
    // A device on standby whose call was lost comes by itself after ten minutes.
    Plan { gateway, device, devices, faults, restarts, power, healed_at, end: healed_at + 800 * SECOND }
}

fn device_config(chance: &mut Chance, devices: u32) -> DeviceConfig {
    let reading_micros = chance.pick(&[SECOND, 5 * SECOND]);
    let report_micros = reading_micros * chance.between(1, 4);
    let kinds = [BackoffKind::None, BackoffKind::Fixed, BackoffKind::FullJitter, BackoffKind::Decorrelated];
    DeviceConfig {
        schedule: Schedule::new(reading_micros, report_micros, devices, chance.below(u64::MAX)),
        key: chance.below(u64::MAX),
        keep_alive_micros: chance.pick(&[0, 0, 3 * SECOND]),
        storage: chance.pick(&[Storage::Flash, Storage::Flash, Storage::Volatile]),
        buffer_readings: chance.pick(&[3, 40, 65_535]),
        overflow: chance.pick(&[Overflow::DropOldest, Overflow::DropNewest, Overflow::Decimate]),
        sensing_backup: chance.per_mille(500),
        backoff: Backoff { kind: chance.pick(&kinds), base_micros: 300_000, cap_micros: 5 * SECOND },
        hello_timeout_micros: 2 * SECOND,
        hello_timeout_max_micros: 8 * SECOND,
        request_timeout_micros: chance.pick(&[SECOND, 4 * SECOND]),
        retransmissions_max: chance.between(0, 3) as u8,
        window_frames: chance.pick(&[2, 5, 20]),
        frame_readings: chance.pick(&[2, 16, 64]),
        live_first: true,
    }
}
