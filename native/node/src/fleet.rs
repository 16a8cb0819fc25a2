//! All devices of a run, stepped in batches.

use crate::digest::Digest;
use crate::options::FleetOptions;
use crate::record::{Record, WORDS, kind};
use crate::typed_array::words;
use klais_burst_sync::{Device, DeviceConfig, Event, Frame, Note, Outbox};
use napi::bindgen_prelude::{Error, Float64ArraySlice, Result};
use napi_derive::napi;

/// The devices' protocol stacks.
#[napi]
pub struct Fleet {
    devices: Vec<Device>,
    config: DeviceConfig,
    digest: Digest,
    inbox: Vec<Record>,
    out: Vec<Record>,
    sent: usize,
}

struct Collect<'a> {
    out: &'a mut Vec<Record>,
    device: u32,
    now: u64,
}

impl Outbox for Collect<'_> {
    fn send(&mut self, frame: Frame) {
        self.out.push(Record::from_frame(self.now, self.device, &frame));
    }

    fn note(&mut self, note: Note) {
        self.out.push(Record::from_note(self.now, self.device, note));
    }
}

#[napi]
impl Fleet {
    /// All devices online, in steady state, at time 0.
    #[napi(constructor)]
    pub fn new(options: FleetOptions) -> Result<Self> {
        let config = options.to_config()?;
        let devices = (0..options.devices).map(|id| Device::online(&config, id)).collect();
        Ok(Self { devices, config, digest: Digest::default(), inbox: Vec::new(), out: Vec::new(), sent: 0 })
    }

    /// Handles `count` records of `inbox`, all due before `horizon`, and every timer that falls due before it on the
    /// devices they name. Fills `outbox` with frames and notes, `timers` with (device, deadline) pairs, and
    /// `counts` with events, records, timers and records left for `drain`.
    #[napi]
    pub fn step(
        &mut self,
        horizon: f64,
        inbox: Float64ArraySlice<'_>,
        count: u32,
        mut outbox: Float64ArraySlice<'_>,
        mut timers: Float64ArraySlice<'_>,
        mut counts: Float64ArraySlice<'_>,
    ) -> Result<()> {
        let horizon = horizon as u64;
        let (timers, counts) = (words(&mut timers), words(&mut counts));
        self.inbox.clear();
        self.inbox.extend(inbox.chunks_exact(WORDS).take(count as usize).map(Record::read));
        if self.inbox.iter().any(|r| r.device as usize >= self.devices.len()) {
            return Err(Error::from_reason("record names a device outside the fleet"));
        }
        self.inbox.sort_unstable_by_key(|r| (r.device, r.time, r.meta, r.a, r.b));
        let inbox = std::mem::take(&mut self.inbox);
        let (mut events, mut armed) = (0, 0);
        for group in inbox.chunk_by(|x, y| x.device == y.device) {
            let id = group[0].device;
            events += self.run_device(id, group, horizon);
            let Some(pair) = timers.get_mut(armed * 2..armed * 2 + 2) else {
                return Err(Error::from_reason("timers array too small"));
            };
            let deadline = self.devices[id as usize].deadline();
            pair[0] = f64::from(id);
            pair[1] = if deadline == u64::MAX { -1.0 } else { deadline as f64 };
            armed += 1;
        }
        self.inbox = inbox;
        let records = crate::record::drain(&mut self.out, &mut self.sent, words(&mut outbox));
        let status =
            [f64::from(events), f64::from(records), armed as f64, (self.out.len() - self.sent) as f64];
        for (slot, value) in counts.iter_mut().zip(status) {
            *slot = value;
        }
        Ok(())
    }

    fn run_device(&mut self, id: u32, group: &[Record], horizon: u64) -> u32 {
        let device = &mut self.devices[id as usize];
        let mut events = 0;
        let mut fire = |device: &mut Device, now: u64, event: Event, digest: &mut Digest, record: &Record| {
            digest.add(record);
            device.handle(&self.config, id, now, event, &mut Collect { out: &mut self.out, device: id, now });
            events += 1;
        };
        for record in group {
            while device.deadline() <= record.time && device.deadline() < horizon {
                let now = device.deadline();
                fire(device, now, Event::Timer, &mut self.digest, &Record::new(now, id, kind::TIMER, 0, 0));
            }
            if let Some(event) = record.to_event() {
                fire(device, record.time, event, &mut self.digest, record);
            }
        }
        while device.deadline() < horizon {
            let now = device.deadline();
            fire(device, now, Event::Timer, &mut self.digest, &Record::new(now, id, kind::TIMER, 0, 0));
        }
        events
    }

    /// Moves what the last step left over into `outbox`: how many records.
    #[napi]
    pub fn drain(&mut self, mut outbox: Float64ArraySlice<'_>) -> u32 {
        crate::record::drain(&mut self.out, &mut self.sent, words(&mut outbox))
    }

    /// Deadlines of the devices from `first` on, -1 for none.
    #[napi]
    pub fn deadlines(&self, first: u32, mut deadlines: Float64ArraySlice<'_>) {
        for (slot, device) in words(&mut deadlines).iter_mut().zip(self.devices.iter().skip(first as usize)) {
            *slot = if device.deadline() == u64::MAX { -1.0 } else { device.deadline() as f64 };
        }
    }

    /// Report phases of the devices from `first` on, microseconds.
    #[napi]
    pub fn phases(&self, first: u32, mut phases: Float64ArraySlice<'_>) {
        for (slot, id) in words(&mut phases).iter_mut().zip(first..) {
            *slot = self.config.schedule.phase(id) as f64;
        }
    }

    /// Per device from `first` on, four numbers: readings held, lost to overflow just now, live mark acknowledged,
    /// backfill mark acknowledged. Ends the run: devices settle their buffers as the firmware would.
    #[napi]
    pub fn settle(&mut self, now: f64, first: u32, mut rows: Float64ArraySlice<'_>) {
        let config = self.config;
        for (row, (device, id)) in words(&mut rows)
            .chunks_exact_mut(4)
            .zip(self.devices.iter_mut().skip(first as usize).zip(first..))
        {
            let (live, backfill) = device.acked();
            let (held, lost) = device.settle(&config, id, now as u64);
            for (slot, value) in row.iter_mut().zip([held, lost, live, backfill]) {
                *slot = f64::from(value);
            }
        }
    }

    /// Digest of every event so far, hex.
    #[napi]
    pub fn digest(&self) -> String {
        self.digest.hex()
    }

    /// Bytes of native state per device.
    #[napi]
    pub fn bytes_per_device(&self) -> u32 {
        size_of::<Device>() as u32
    }
}
