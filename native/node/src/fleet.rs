//! All devices of a run, stepped in batches.

use crate::digest::Digest;
use crate::options::FleetOptions;
use crate::record::{Record, WORDS, kind};
use crate::typed_array::{owned_shorts, owned_words, words};
use klais_burst_sync::{Device, DeviceConfig, Event, Frame, Note, Outbox, Throttle};
use napi::bindgen_prelude::{Error, Float64Array, Float64ArraySlice, Result, Uint16Array};

/// The devices' protocol stacks.
pub struct Fleet {
    devices: Vec<Device>,
    /// One per device, or none at all.
    throttles: Vec<Throttle>,
    config: DeviceConfig,
    digest: Digest,
    inbox: Vec<Record>,
    order: Vec<u64>,
    arrays: Option<Arrays>,
    out: Vec<Record>,
    sent: usize,
}

/// Records between a prefetch and its use: a miss takes as long as a dozen devices.
const PREFETCH_RECORDS: usize = 16;

/// Asks for a device's two cache lines: in a storm the first touch of a device was most of a step's time.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn prefetch(device: &Device) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    let at = std::ptr::from_ref(device).cast::<i8>();
    // SAFETY: a prefetch reads nothing that the program sees, and never faults.
    unsafe {
        _mm_prefetch::<{ _MM_HINT_T0 }>(at);
        _mm_prefetch::<{ _MM_HINT_T0 }>(at.wrapping_add(64));
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch(_device: &Device) {}

/// JavaScript's arrays, kept alive by reference.
struct Arrays {
    inbox: Float64Array,
    outbox: Float64Array,
    timers: Float64Array,
    counts: Float64Array,
    routes: Uint16Array,
}

struct Collect<'a> {
    out: &'a mut Vec<Record>,
    throttle: Option<&'a mut Throttle>,
    key: u64,
    device: u32,
    now: u64,
    /// A HELLO was held back.
    is_refused: bool,
}

impl Outbox for Collect<'_> {
    fn send(&mut self, frame: Frame) {
        if let Some(throttle) = &mut self.throttle
            && !throttle.lets_out(self.key, u64::from(self.device), self.now, &frame)
        {
            self.is_refused |= matches!(frame, Frame::Hello(_));
            return;
        }
        self.out.push(Record::from_frame(self.now, self.device, &frame));
    }

    fn note(&mut self, note: Note) {
        self.out.push(Record::from_note(self.now, self.device, note));
    }
}

impl Fleet {
    /// Bytes of native state per device.
    pub const BYTES_PER_DEVICE: u32 = size_of::<Device>() as u32;

    /// All devices online, in steady state, at time 0.
    pub fn new(options: FleetOptions) -> Result<Self> {
        let config = options.to_config()?;
        let home = |id: u32| (id % options.shards.max(1) % options.gateways.max(1)) as u16;
        let devices =
            (0..options.devices).map(|id| Device::online(&config, id).talking_to(home(id))).collect();
        let throttles = if options.client_throttle == Some(true) { options.devices as usize } else { 0 };
        Ok(Self {
            devices,
            throttles: vec![Throttle::default(); throttles],
            config,
            digest: Digest::default(),
            inbox: Vec::new(),
            order: Vec::new(),
            arrays: None,
            out: Vec::new(),
            sent: 0,
        })
    }

    /// Sets the arrays that `step` and `drain` work on, until the next call: `inbox`; `outbox` for frames and notes;
    /// `timers` for (device, deadline) pairs; `counts` for events, records, timers and records left for `drain`; `routes` for the
    /// gateway that each device talks to, written here whenever it changes. They are kept, because handing arrays over costs more than a small step.
    pub fn attach(
        &mut self,
        inbox: Float64Array,
        outbox: Float64Array,
        timers: Float64Array,
        counts: Float64Array,
        routes: Uint16Array,
    ) {
        self.arrays = Some(Arrays { inbox, outbox, timers, counts, routes });
    }

    /// Handles the first `count` records of the inbox, all due before `horizon`, and every timer that falls due before
    /// it on the devices they name.
    pub fn step(&mut self, horizon: f64, count: u32) -> Result<()> {
        let horizon = horizon as u64;
        let mut arrays = self.arrays.take().ok_or_else(|| Error::from_reason("no arrays attached"))?;
        let mut inbox = std::mem::take(&mut self.inbox);
        inbox.clear();
        inbox.extend(arrays.inbox.chunks_exact(WORDS).take(count as usize).map(Record::read));
        if inbox.iter().any(|r| r.device as usize >= self.devices.len()) {
            return Err(Error::from_reason("record names a device outside the fleet"));
        }
        self.order.clear();
        self.order.extend(inbox.iter().zip(0u64..).map(|(r, n)| u64::from(r.device) << 32 | n));
        self.order.sort_unstable();
        let order = std::mem::take(&mut self.order);
        let timers = owned_words(&mut arrays.timers);
        let routes = owned_shorts(&mut arrays.routes);
        let (mut events, mut armed) = (0, 0);
        let device_at = |place: &u64| (place >> 32) as usize;
        let mut ahead = order.iter();
        ahead.by_ref().take(PREFETCH_RECORDS).for_each(|place| prefetch(&self.devices[device_at(place)]));
        for group in order.chunk_by(|x, y| x >> 32 == y >> 32) {
            let id = (group[0] >> 32) as u32;
            ahead.by_ref().take(group.len()).for_each(|place| prefetch(&self.devices[device_at(place)]));
            events += self.run_group(id, group, &inbox, horizon);
            let Some(pair) = timers.get_mut(armed * 2..armed * 2 + 2) else {
                return Err(Error::from_reason("timers array too small"));
            };
            let device = &self.devices[id as usize];
            if let Some(route) = routes.get_mut(id as usize) {
                *route = device.gateway();
            }
            let deadline = device.deadline();
            pair[0] = f64::from(id);
            pair[1] = if deadline == u64::MAX { -1.0 } else { deadline as f64 };
            armed += 1;
        }
        (self.inbox, self.order) = (inbox, order);
        let records = crate::record::drain(&mut self.out, &mut self.sent, owned_words(&mut arrays.outbox));
        let status =
            [f64::from(events), f64::from(records), armed as f64, (self.out.len() - self.sent) as f64];
        for (slot, value) in owned_words(&mut arrays.counts).iter_mut().zip(status) {
            *slot = value;
        }
        self.arrays = Some(arrays);
        Ok(())
    }

    /// The records of one device, in time order whatever the order of the inbox.
    fn run_group(&mut self, id: u32, places: &[u64], inbox: &[Record], horizon: u64) -> u32 {
        let at = |place: &u64| inbox[*place as u32 as usize];
        if let [place] = places {
            return self.run_device(id, &[at(place)], horizon);
        }
        let mut records: Vec<Record> = places.iter().map(at).collect();
        records.sort_unstable();
        self.run_device(id, &records, horizon)
    }

    fn run_device(&mut self, id: u32, group: &[Record], horizon: u64) -> u32 {
        let device = &mut self.devices[id as usize];
        let mut events = 0;
        let mut fire = |device: &mut Device, now: u64, event: Event, digest: &mut Digest, record: &Record| {
            digest.add(record);
            let mut throttle = self.throttles.get_mut(id as usize);
            if let Some(throttle) = &mut throttle {
                throttle.on_event(now, &event);
            }
            let (out, key) = (&mut self.out, self.config.key);
            let mut collect = Collect { out, throttle, key, device: id, now, is_refused: false };
            device.handle(&self.config, id, now, event, &mut collect);
            if collect.is_refused {
                device.handle(&self.config, id, now, Event::Refused, &mut collect);
            }
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

    /// Moves what the last step left over into the outbox: how many records.
    pub fn drain(&mut self) -> u32 {
        match &mut self.arrays {
            Some(arrays) => {
                crate::record::drain(&mut self.out, &mut self.sent, owned_words(&mut arrays.outbox))
            }
            None => 0,
        }
    }

    /// Deadlines of the devices from `first` on, -1 for none.
    pub fn deadlines(&self, first: u32, mut deadlines: Float64ArraySlice<'_>) {
        for (slot, device) in words(&mut deadlines).iter_mut().zip(self.devices.iter().skip(first as usize)) {
            *slot = if device.deadline() == u64::MAX { -1.0 } else { device.deadline() as f64 };
        }
    }

    /// Report phases of the devices from `first` on, microseconds.
    pub fn phases(&self, first: u32, mut phases: Float64ArraySlice<'_>) {
        for (slot, id) in words(&mut phases).iter_mut().zip(first..) {
            *slot = self.config.schedule.phase(id) as f64;
        }
    }

    /// Per device from `first` on, four numbers: readings held, lost to overflow just now, live mark acknowledged,
    /// backfill mark acknowledged. Ends the run: devices settle their buffers as the firmware would.
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
    pub fn digest(&self) -> String {
        self.digest.hex()
    }
}
