//! Of every device, which readings were acknowledged to it, and what became of the rest: the file that a witness holds against
//! what is stored. `docs/fleet.md` describes it.

use crate::error::FleetError;
use klais_burst_sync::{Device, DeviceConfig, Event, Frame, Losses, Note, Outbox, READING_INDEX_MAX};
use serde::Serialize;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

const SCHEMA: &str = "klais.ledger/1";
/// Memory that bitmaps may take.
const BITMAP_BYTES_MAX: u64 = 2 << 30;
const READINGS_PER_BYTE: u32 = 8;

#[derive(Serialize)]
struct Header {
    schema: &'static str,
    devices: usize,
    readings: u32,
}

/// One device at the end.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    produced: u32,
    held: u32,
    overflow: u32,
    volatile: u32,
}

/// The accounts of a fleet.
pub struct Accounts {
    /// The firmware, with room for everything: what an answer frees is then only what it acknowledges.
    roomy: DeviceConfig,
    readings: u32,
    bits: Vec<u8>,
    rows: Vec<Row>,
}

/// Nobody listens.
struct Nowhere;

impl Outbox for Nowhere {
    fn send(&mut self, _: Frame) {}
    fn note(&mut self, _: Note) {}
}

/// How many readings a device can take by `end_micros`: none has a higher index.
fn readings_by(config: &DeviceConfig, end_micros: u64) -> u32 {
    let most = end_micros / config.schedule.reading_micros + 1;
    u32::try_from(most).unwrap_or(READING_INDEX_MAX).min(READING_INDEX_MAX)
}

/// Whether there is memory for the accounts of so many devices.
pub fn fit(config: &DeviceConfig, devices: u32, end_micros: u64) -> bool {
    let row = readings_by(config, end_micros).div_ceil(READINGS_PER_BYTE);
    u64::from(row) * u64::from(devices) <= BITMAP_BYTES_MAX
}

/// The firmware, with room for everything.
pub fn roomy(config: &DeviceConfig) -> DeviceConfig {
    DeviceConfig { buffer_readings: u16::MAX, ..*config }
}

/// The readings that an ACK or ADMIT frees in a device that was as `before`: those that it acknowledges, if the firmware has
/// room for everything.
pub fn freed(roomy: &DeviceConfig, id: u32, now: u64, before: &Device, frame: Frame) -> Vec<u32> {
    let mut after = before.clone();
    after.handle(roomy, id, now, Event::Frame(frame), &mut Nowhere);
    if matches!(frame, Frame::Ack { .. }) && after.acked() == before.acked() {
        return Vec::new();
    }
    let left: Vec<_> = after.held(roomy, id, now).collect();
    let held = before.held(roomy, id, now);
    let indexes = held.flat_map(|run| (0..run.count).map(move |n| run.first + n * run.stride));
    indexes.filter(|index| !left.iter().any(|run| run.contains(*index))).collect()
}

impl Accounts {
    /// Accounts up to `end_micros`.
    pub fn new(config: &DeviceConfig, devices: u32, end_micros: u64) -> Self {
        let readings = readings_by(config, end_micros);
        let bytes = readings.div_ceil(READINGS_PER_BYTE) as usize * devices as usize;
        Self {
            roomy: roomy(config),
            readings,
            bits: vec![0; bytes],
            rows: vec![Row::default(); devices as usize],
        }
    }

    /// An ACK or ADMIT arrives at a device: notes what it frees, which the device need not keep any more.
    pub fn answered(&mut self, id: u32, now: u64, before: &Device, frame: Frame) {
        let row = self.readings.div_ceil(READINGS_PER_BYTE) as usize * id as usize;
        for index in freed(&self.roomy, id, now, before, frame) {
            if let Some(byte) = self.bits.get_mut(row + (index / READINGS_PER_BYTE) as usize) {
                *byte |= 1 << (index % READINGS_PER_BYTE);
            }
        }
    }

    /// A device gives readings up.
    pub fn lost(&mut self, id: u32, losses: Losses) {
        let row = &mut self.rows[id as usize];
        row.overflow += losses.overflow;
        row.volatile += losses.volatile;
    }

    /// The end: what a device has taken by the world's count, what it holds, and what it gives up now.
    pub fn close(&mut self, id: u32, produced: u64, held: u32, lost: u32) {
        let row = &mut self.rows[id as usize];
        row.produced = u32::try_from(produced).unwrap_or(u32::MAX);
        row.held = held;
        row.overflow += lost;
    }

    /// Writes the accounts, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path, devices: &[Device]) -> Result<(), FleetError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        self.write_to(&part, devices).map_err(FleetError::file(&part))?;
        fs::rename(&part, path).map_err(FleetError::file(path))
    }

    fn write_to(&self, path: &Path, devices: &[Device]) -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let header = Header { schema: SCHEMA, devices: devices.len(), readings: self.readings };
        serde_json::to_writer(&mut file, &header)?;
        file.write_all(b"\n")?;
        let bitmaps = self.bits.chunks_exact(self.readings.div_ceil(READINGS_PER_BYTE) as usize);
        for ((device, row), bitmap) in devices.iter().zip(&self.rows).zip(bitmaps) {
            let (live, backfill) = device.acked();
            for number in [live, backfill, row.produced, row.held, row.overflow, row.volatile] {
                file.write_all(&number.to_be_bytes())?;
            }
            file.write_all(bitmap)?;
        }
        file.flush()
    }
}
