//! What a seed does to a gateway: settings, faults, restarts and power cuts.

use super::SECOND;
use super::chance::Chance;
use super::world::{Blow, Faults, Plan};
use klais_burst_sync::{Backoff, BackoffKind, DeviceConfig, Overflow, Schedule, Storage};

/// A plan for a seed.
pub fn plan(seed: u64) -> Plan {
    let mut chance = Chance::new(!seed);
    let devices = chance.between(1, 5) as u32;
    let healed_at = chance.between(20, 120) * SECOND;
    let mut gateway = super::config(devices);
    gateway.slots = chance.per_mille(700);
    gateway.gateways = chance.between(1, 3) as u32;
    gateway.shards = gateway.gateways * chance.between(1, 3) as u32;
    gateway.dam_by_shard = chance.per_mille(500);
    gateway.dam.devices = gateway.dam_devices();
    gateway.capacity_per_second = chance.pick(&[40, 200, 1_000]);
    gateway.sink_queue_readings = chance.pick(&[300, 1_000, 100_000]);
    gateway.backfill_queue_readings = chance.pick(&[20, 200, 10_000]);
    gateway.batch_readings_max = chance.pick(&[20, 200, 10_000]);
    gateway.standby_devices_max = chance.pick(&[0, 1, 16]);
    gateway.pending_hellos_max = chance.pick(&[1, 16]);
    gateway.commit_interval_micros = chance.pick(&[10_000, 100_000, SECOND]);
    let device = device_config(&mut chance, gateway.gateways, devices);
    let faults = Faults {
        loss: chance.pick(&[0, 20, 100, 300]),
        doubled: chance.pick(&[0, 20, 200]),
        jitter_micros: chance.pick(&[0, 50_000, SECOND]),
        unknown: chance.pick(&[0, 100, 500]),
        slow_commit_micros: chance.pick(&[0, 500_000, 4 * SECOND]),
    };
    let blows = blows(&mut chance, gateway.gateways, healed_at);
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
    Plan { gateway, device, devices, faults, blows, power, healed_at, end: healed_at + 800 * SECOND }
}

/// Deaths, freezes and false beliefs, all of which end before the world heals.
fn blows(chance: &mut Chance, gateways: u32, healed_at: u64) -> Vec<(u64, u32, Blow)> {
    let mut blows = Vec::new();
    for gateway in 0..gateways {
        let mut at = 0;
        for _ in 0..chance.below(4) {
            let from = at + 1 + chance.below(healed_at / 3);
            let to = from + chance.pick(&[1, SECOND, 10 * SECOND]);
            at = to + SECOND;
            if at >= healed_at {
                break;
            }
            let (out, back) = chance.pick(&[
                (Blow::Kill, Blow::Start),
                (Blow::Freeze, Blow::Wake),
                (Blow::Wake, Blow::Wake),
            ]);
            // Whoever only seems to be gone is a zombie from the start.
            blows.extend([(from, gateway, out), (to, gateway, back)]);
            let known = chance.pick(&[1, SECOND / 2, 20 * SECOND]);
            blows.extend([
                (from + known, gateway, Blow::Believed(false)),
                (at.max(from + known + 1), gateway, Blow::Believed(true)),
            ]);
        }
        blows.push((healed_at, gateway, Blow::Start));
        blows.push((healed_at, gateway, Blow::Wake));
        blows.push((healed_at + 21 * SECOND, gateway, Blow::Believed(true)));
    }
    blows
}

fn device_config(chance: &mut Chance, gateways: u32, devices: u32) -> DeviceConfig {
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
        gateways: gateways as u16,
    }
}
