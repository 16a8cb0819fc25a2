//! `klais-xdp bench`: what the filter costs per packet, by verdict.
//!
//! A row's cost is that of the bench program with the filter, less that of the same without it, plus that of an empty
//! program. Both run over a million frames of a million devices in no order; samples are taken in turn. The counters say,
//! after each run, that every packet met the verdict that the row is named after.

pub mod rows;
pub mod stage;

use std::mem::MaybeUninit;

use klais_units::draw;

use crate::cpu;
use crate::error::ToolError;
use crate::record::{Record, median};
use rows::Row;
use stage::{Program, Stage};

/// Devices, frames and runs, and how often.
pub struct Size {
    pub devices: u32,
    pub rounds: u32,
}

impl Size {
    pub const FULL: Self = Self { devices: 1 << 20, rounds: 9 };
    pub const QUICK: Self = Self { devices: 1 << 14, rounds: 3 };
}

/// Measures every row.
pub fn run(size: &Size, say: &dyn Fn(&str)) -> Result<Vec<Record>, ToolError> {
    if cpu::bpf_stats_enabled()? {
        let reason = "kernel.bpf_stats_enabled is 1, which costs more than the program: set it to 0";
        return Err(ToolError::Usage(reason.into()));
    }
    cpu::pin(cpu::count() - 1)?;
    let order = shuffled(size.devices);
    let mut records = Vec::new();
    for row in rows::all() {
        say(row.name);
        records.push(measure(&row, &order, size.rounds)?);
    }
    Ok(records)
}

fn measure(row: &Row, order: &[u32], rounds: u32) -> Result<Record, ToolError> {
    let keys = rows::keys();
    let packets = order.iter().map(|device| (row.packet)(&keys, *device)).collect::<Result<Vec<_>, _>>()?;
    let mut storage = MaybeUninit::uninit();
    let mut stage = Stage::load(&mut storage, &packets)?;
    prepare(&mut stage);
    (row.arrange)(&mut stage)?;
    let (mut costs, mut empties, mut baselines, mut filters) = (vec![], vec![], vec![], vec![]);
    // The first of each warms up.
    for round in 0..=rounds {
        let empty = stage.run(Program::Empty)?;
        let before = stage.run(Program::Baseline)?;
        (row.renew)(&mut stage)?;
        let filter = run_checked(&stage, row, order.len() as u64)?;
        let after = stage.run(Program::Baseline)?;
        if round > 0 {
            let baseline = f64::midpoint(before, after);
            costs.push(filter - baseline + empty);
            empties.push(empty);
            baselines.push(baseline);
            filters.push(filter);
        }
    }
    Ok(Record::nanos(row.name, costs)
        .wanting(row.wanted)
        .with("devices", order.len())
        .with("emptyNanos", format!("{:.1}", median(&empties)))
        .with("baselineNanos", format!("{:.1}", median(&baselines)))
        .with("filterNanos", format!("{:.1}", median(&filters)))
        .with("frameBytes", packets.first().map_or(0, Vec::len))
        .with("time", "CPU time of the calling thread; kernel.bpf_stats_enabled is 0"))
}

/// What all rows have in common.
pub fn prepare(stage: &mut Stage<'_>) {
    let keys = rows::keys();
    let config = stage.config();
    config.port = klais_burst_sync::wire::PORT.to_be();
    config.scale = 1;
    config.elapsed_nanos_max = u64::MAX;
    config.master[0].present = words(rows::MASTER);
    config.master[0].present_epoch = keys.epoch();
}

fn words(key: [u8; 16]) -> [u64; 2] {
    let number = u128::from_le_bytes(key);
    [number as u64, (number >> 64) as u64]
}

/// A run in which every packet was counted, and acted upon, as the row says.
fn run_checked(stage: &Stage<'_>, row: &Row, runs: u64) -> Result<f64, ToolError> {
    let (counters, actions) = (stage.counters()?, stage.actions());
    let nanos = stage.run(Program::Filter)?;
    let counter = row.counter as usize;
    let counted = stage.counters()?[counter] - counters[counter];
    let acted = stage.actions()[row.action] - actions[row.action];
    if counted != runs || acted != runs {
        let changed: Vec<_> = stage
            .counters()?
            .iter()
            .zip(&counters)
            .enumerate()
            .filter(|(_, (after, before))| after != before)
            .map(|(n, (after, before))| format!("{n}: {}", after - before))
            .collect();
        return Err(ToolError::Unexpected(format!(
            "{}: of {runs} packets {counted} were counted as that, {acted} acted upon so; counters {}",
            row.name,
            changed.join(", ")
        )));
    }
    Ok(nanos)
}

/// Devices in no order (Fisher and Yates).
pub fn shuffled(devices: u32) -> Vec<u32> {
    const SEED: u64 = 7;
    let mut order: Vec<u32> = (0..devices).collect();
    for n in (1..order.len()).rev() {
        let other = klais_units::scale(draw(SEED, n as u64, 0, 0), n as u64 + 1) as usize;
        order.swap(n, other);
    }
    order
}
