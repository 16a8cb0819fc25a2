//! All gateways of a run. Device `d` belongs to gateway `d % gateways`, which knows it as `d / gateways`.

use crate::digest::Digest;
use crate::options::{ClusterOptions, bad};
use crate::record::{Record, WORDS, kind};
use crate::typed_array::{owned_bytes, owned_words, words};
use klais_gateway::{DROP_NAMES, Gateway, Ingress};
use napi::bindgen_prelude::{Error, Float64Array, Float64ArraySlice, Result, Uint8Array};

/// Verdicts of `ingress`.
const ACCEPTED: u8 = 0;
const ANSWERED: u8 = 1;
const DROPPED: u8 = 2;
/// The dam keeps a bucket (8 bytes) and a slot word (8 bytes) per device.
const DAM_BYTES_PER_DEVICE: u32 = 16;

/// The gateways.
pub struct Cluster {
    gateways: Vec<Gateway>,
    digest: Digest,
    inbox: Vec<Record>,
    arrays: Option<Arrays>,
    out: Vec<Record>,
    sent: usize,
}

/// JavaScript's arrays, kept alive by reference.
struct Arrays {
    inbox: Float64Array,
    verdicts: Uint8Array,
    outbox: Float64Array,
    counts: Float64Array,
}

impl Cluster {
    /// Bytes of native state per device: the entry, and the dam's bucket and slot.
    pub const BYTES_PER_DEVICE: u32 = size_of::<klais_gateway::Entry>() as u32 + DAM_BYTES_PER_DEVICE;

    /// Idle gateways.
    pub fn new(options: ClusterOptions) -> Result<Self> {
        let gateways = (0..options.gateways)
            .map(|n| {
                let gateway = Gateway::new(options.to_config(n)?);
                gateway.map_err(|error| bad(&format!("gateway {n}: {error:?}")))
            })
            .collect::<Result<Vec<_>>>()?;
        if gateways.is_empty() {
            return Err(bad("gateways"));
        }
        Ok(Self {
            gateways,
            digest: Digest::default(),
            inbox: Vec::new(),
            arrays: None,
            out: Vec::new(),
            sent: 0,
        })
    }

    /// Registers every device as online in session 1: steady state at time 0.
    pub fn assume_online(&mut self, devices: u32) {
        let count = self.gateways.len() as u32;
        for device in 0..devices {
            self.gateways[(device % count) as usize].assume_online(device / count);
        }
    }

    /// Sets the arrays that the other calls work on, until the next call. `verdicts` takes a byte per record of
    /// `ingress`; `counts` takes what `handle` says: records in the outbox, records left for `drain`, and 1 while any
    /// gateway has readings under way.
    pub fn attach(
        &mut self,
        inbox: Float64Array,
        verdicts: Uint8Array,
        outbox: Float64Array,
        counts: Float64Array,
    ) {
        self.arrays = Some(Arrays { inbox, verdicts, outbox, counts });
    }

    /// The kernel's half for `count` frames from record `first` of the inbox on. Sorts them by time, writes a verdict
    /// per record (0 accepted, 1 answered, 2 dropped) and the answers to the outbox: how many answers. The outbox must
    /// hold `count` records.
    pub fn ingress(&mut self, first: u32, count: u32) -> Result<u32> {
        let mut arrays = self.arrays.take().ok_or_else(|| Error::from_reason("no arrays attached"))?;
        let inbox = owned_words(&mut arrays.inbox).get_mut(first as usize * WORDS..).unwrap_or_default();
        let mut records = std::mem::take(&mut self.inbox);
        records.clear();
        records.extend(inbox.chunks_exact(WORDS).take(count as usize).map(Record::read));
        records.sort_unstable();
        let mut answers = 0;
        let mut slots = owned_words(&mut arrays.outbox).chunks_exact_mut(WORDS);
        let verdicts = owned_bytes(&mut arrays.verdicts);
        for ((record, place), verdict) in
            records.iter().zip(inbox.chunks_exact_mut(WORDS)).zip(verdicts.iter_mut())
        {
            record.write(place);
            self.digest.add(record);
            let (gateway, device) = self.place(record.device);
            let frame = record.to_frame().ok_or_else(|| Error::from_reason("not a frame"))?;
            *verdict = match self.gateways[gateway].ingress(record.time, device, &frame) {
                Ingress::Accept => ACCEPTED,
                Ingress::Drop(_) => DROPPED,
                Ingress::Answer(answer) => {
                    let slot = slots.next().ok_or_else(|| Error::from_reason("outbox too small"))?;
                    Record::from_frame(record.time, record.device, &answer).write(slot);
                    answers += 1;
                    ANSWERED
                }
            };
        }
        self.inbox = records;
        self.arrays = Some(arrays);
        Ok(answers)
    }

    /// User space's half: the first `count` records of the inbox (accepted frames, OUTCOME, RESTART), each gateway's in
    /// time order, then everything due before `horizon`. Frames, SUBMISSION and ENTRY records go to the outbox.
    pub fn handle(&mut self, horizon: f64, count: u32) -> Result<()> {
        let mut arrays = self.arrays.take().ok_or_else(|| Error::from_reason("no arrays attached"))?;
        for record in arrays.inbox.chunks_exact(WORDS).take(count as usize).map(Record::read) {
            self.digest.add(&record);
            match record.kind() {
                kind::OUTCOME => {
                    let gateway = self.gateway(record.device)?;
                    gateway.sink_outcome(record.time, record.a, record.b != 0);
                }
                kind::RESTART => self.gateway(record.device)?.restart(record.time),
                _ => {
                    let (gateway, device) = self.place(record.device);
                    let frame = record.to_frame().ok_or_else(|| Error::from_reason("not a frame"))?;
                    self.gateways[gateway].handle(record.time, device, &frame);
                }
            }
        }
        self.collect(horizon as u64);
        let records = crate::record::drain(&mut self.out, &mut self.sent, owned_words(&mut arrays.outbox));
        let busy = u8::from(self.gateways.iter().any(|g| !g.is_idle()));
        let status = [f64::from(records), (self.out.len() - self.sent) as f64, f64::from(busy)];
        for (slot, value) in owned_words(&mut arrays.counts).iter_mut().zip(status) {
            *slot = value;
        }
        self.arrays = Some(arrays);
        Ok(())
    }

    fn gateway(&mut self, n: u32) -> Result<&mut Gateway> {
        self.gateways.get_mut(n as usize).ok_or_else(|| Error::from_reason("no such gateway"))
    }

    fn place(&self, device: u32) -> (usize, u32) {
        let count = self.gateways.len() as u32;
        ((device % count) as usize, device / count)
    }

    fn collect(&mut self, horizon: u64) {
        let count = self.gateways.len() as u32;
        for (gateway, n) in self.gateways.iter_mut().zip(0u32..) {
            gateway.poll(horizon.saturating_sub(1));
            for transmit in gateway.take_transmits() {
                let device = transmit.device * count + n;
                self.out.push(Record::from_frame(transmit.at, device, &transmit.frame));
            }
            for submission in gateway.take_submissions() {
                let entries = submission.entries.len() as u32;
                let readings = submission.entries.iter().map(|e| u32::from(e.count)).sum();
                let header = Record::new(submission.at, n, kind::SUBMISSION, 0, 0);
                self.out.push(Record { a: submission.batch, b: entries, c: readings, ..header });
                let placed = submission.entries.iter().map(|e| (e.device * count + n, e));
                self.out.extend(placed.map(|(device, e)| Record::from_entry(submission.at, device, e)));
            }
        }
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

    /// Sums over the gateways: hellos, deferred, offered, admitted, turned away, online, queued, and the largest
    /// queue that one gateway ever had.
    pub fn stats(&self, mut out: Float64ArraySlice<'_>) {
        let mut sums = [0u64; 8];
        for gateway in &self.gateways {
            let s = gateway.stats();
            let row = [s.hellos, s.deferred, s.offered, s.admitted, s.turned_away, s.online, s.queued];
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
            sums[7] = sums[7].max(s.queued_max);
        }
        for (slot, sum) in words(&mut out).iter_mut().zip(sums) {
            *slot = sum as f64;
        }
    }

    /// Names of the reasons for which frames are dropped, in the order of `drops`.
    pub fn drop_names() -> Vec<String> {
        DROP_NAMES.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Frames dropped so far, by reason.
    pub fn drops(&self) -> Vec<f64> {
        (0..DROP_NAMES.len())
            .map(|n| self.gateways.iter().map(|g| g.drops()[n]).sum::<u64>() as f64)
            .collect()
    }

    /// Digest of every event so far, hex.
    pub fn digest(&self) -> String {
        self.digest.hex()
    }
}
