//! `klais-xdp bench`: what the filter costs per packet, by verdict.
//!
//! A row's cost is that of the bench program with the filter, less that of the same without it, plus that of an empty
//! program. Both run over a million frames of a million devices in no order; samples are taken in turn. What is subtracted
//! and added is the least of all rounds: a disturbance must not make the filter look cheap. The counters say, after each
//! run, that every packet met the verdict that the row is named after.

pub mod rows;
pub mod stage;

use std::mem::MaybeUninit;

use klais_units::draw;

use crate::cpu;
use crate::error::ToolError;
use crate::record::{Record, least};
use rows::Row;
use stage::{Program, Stage};

/// The row that all others can be held against.
const FLOOR: &str = "floor: an empty program that drops";

/// Devices, frames and runs, and how often.
pub struct Size {
    pub devices: u32,
    pub rounds: u32,
    /// Whether figures are held against what is wanted.
    pub is_judged: bool,
}

impl Size {
    pub const FULL: Self = Self { devices: 1 << 20, rounds: 9, is_judged: true };
    pub const QUICK: Self = Self { devices: 1 << 14, rounds: 3, is_judged: false };
}

/// What a round took, in nanoseconds per run.
struct Round {
    empty: f64,
    baseline: f64,
    /// Of the bench itself, in a row whose packets are answered: see [`giving_back`].
    giving_back: f64,
    filter: f64,
}

/// Measures every row.
pub fn run(size: &Size, say: &dyn Fn(&str)) -> Result<Vec<Record>, ToolError> {
    cpu::pin(cpu::count() - 1)?;
    let order = shuffled(size.devices);
    let (mut floor, mut records) = (Vec::new(), Vec::new());
    for row in rows::all() {
        say(row.name);
        let rounds = measure(&row, &order, size.rounds)?;
        floor.extend(rounds.iter().map(|round| round.empty));
        records.push(record(&row, &rounds, size)?);
    }
    records.insert(0, circumstances(Record::nanos(FLOOR, floor), size)?);
    Ok(records)
}

fn record(row: &Row, rounds: &[Round], size: &Size) -> Result<Record, ToolError> {
    let all = |field: fn(&Round) -> f64| rounds.iter().map(field).collect::<Vec<_>>();
    let empty = least(&all(|round| round.empty));
    let baseline = least(&all(|round| round.baseline));
    let giving_back = least(&all(|round| round.giving_back));
    let filters = all(|round| round.filter);
    let costs = filters.iter().map(|filter| filter - baseline - giving_back + empty).collect();
    let record = Record::nanos(row.name, costs)
        .with("emptyNanos", format!("{empty:.1}"))
        .with("baselineNanos", format!("{baseline:.1}"))
        .with("givingBackNanos", format!("{giving_back:.1}"))
        .with("filterNanos", format!("{:.1}", least(&filters)));
    let wanted = row.wanted.filter(|_| size.is_judged);
    circumstances(wanted.map_or(record.clone(), |nanos| record.wanting(nanos)), size)
}

fn circumstances(record: Record, size: &Size) -> Result<Record, ToolError> {
    Ok(record
        .with("devices", size.devices)
        .with("loadAverage", cpu::load_average()?)
        .with("time", "CPU time of a thread, BPF_PROG_TEST_RUN"))
}

fn measure(row: &Row, order: &[u32], rounds: u32) -> Result<Vec<Round>, ToolError> {
    let keys = rows::keys();
    let packets = order.iter().map(|device| (row.packet)(&keys, *device)).collect::<Result<Vec<_>, _>>()?;
    let mut storage = MaybeUninit::uninit();
    let mut stage = Stage::load(&mut storage, &packets)?;
    prepare(&mut stage);
    (row.arrange)(&mut stage)?;
    let mut taken = Vec::new();
    // The first warms up.
    for round in 0..=rounds {
        let empty = stage.run(Program::Empty)?;
        let giving_back = if row.action == rows::TX { giving_back(&stage)? } else { 0.0 };
        let before = stage.run(Program::Baseline)?;
        (row.renew)(&mut stage)?;
        let filter = run_checked(&stage, row, order.len() as u64)?;
        let baseline = before.min(stage.run(Program::Baseline)?);
        if round > 0 {
            taken.push(Round { empty, baseline, giving_back, filter });
        }
    }
    Ok(taken)
}

/// What it costs to make an answered packet as long again as the next one. A packet that arrives by a network card has its
/// length, so this is no cost of the filter's.
fn giving_back(stage: &Stage<'_>) -> Result<f64, ToolError> {
    let once = stage.run(Program::Cut)?;
    Ok((stage.run(Program::CutByHalves)? - once).max(0.0))
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
    let counted_before = stage.counter(row.counter)?;
    let nanos = stage.run(Program::Filter)?;
    let after = stage.counters()?;
    let counted = stage.counter(row.counter)? - counted_before;
    let acted = stage.actions()[row.action] - actions[row.action];
    if counted == runs && acted == runs {
        return Ok(nanos);
    }
    let names = klais_xdp::COUNTER_NAMES.iter().zip(after.iter().zip(&counters));
    let changed: Vec<_> = names
        .filter(|(_, (after, before))| after != before)
        .map(|(name, (after, before))| format!("{name}: {}", after - before))
        .collect();
    Err(ToolError::Unexpected(format!(
        "{}: of {runs} packets {counted} were counted as that, {acted} acted upon so; counters {}",
        row.name,
        changed.join(", ")
    )))
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
