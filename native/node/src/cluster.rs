//! All gateways of a run. A device is whoever's frame comes in the block of a gateway: its own, or one that it was sent to.

use crate::digest::Digest;
use crate::eyes::UNREAD_NAMES;
use crate::log::Log;
use crate::options::{ClusterOptions, bad};
use crate::record::{Record, WORDS, kind};
use crate::swarm::Swarms;
use crate::typed_array::{owned_bytes, owned_words, words};
use klais_burst_sync::Frame;
use klais_gateway::{CheckpointTable, DROP_NAMES, Decided, Gateway, Ingress, Outcome, Reason, SinkRequest};
use napi::bindgen_prelude::{Error, Float64Array, Float64ArraySlice, Result, Uint8Array};

/// Verdicts of `ingress`.
const ACCEPTED: u8 = 0;
const ANSWERED: u8 = 1;
const DROPPED: u8 = 2;
/// The dam keeps a bucket (8 bytes) and a slot word (8 bytes) per device.
const DAM_BYTES_PER_DEVICE: u32 = 16;

/// The gateways, and what their broker's checkpoints say.
pub struct Cluster {
    pub(crate) gateways: Vec<Gateway>,
    /// `None`: the engine says who is there, and nobody is blocked.
    pub(crate) swarms: Option<Swarms>,
    /// Frames dropped for what they are, in the order of `UNREAD_NAMES`.
    pub(crate) unread: [u64; UNREAD_NAMES.len()],
    /// Stopped, but not dead: neither polled nor given anything.
    frozen: Vec<bool>,
    /// `None` where gateways keep no marks.
    log: Option<Log>,
    shards: u32,
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
    /// Bytes of native state per device: the entry, the dam's bucket and slot, and the checkpoint.
    pub const BYTES_PER_DEVICE: u32 =
        size_of::<klais_gateway::Entry>() as u32 + DAM_BYTES_PER_DEVICE + CheckpointTable::BYTES_PER_DEVICE;

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
            frozen: vec![false; gateways.len()],
            log: options.deduplicate.then(|| Log::new(options.devices, options.shards)),
            shards: options.shards.max(1),
            gateways,
            swarms: None,
            unread: [0; UNREAD_NAMES.len()],
            digest: Digest::default(),
            inbox: Vec::new(),
            arrays: None,
            out: Vec::new(),
            sent: 0,
        })
    }

    /// Registers every device as online in session 1 at its home: steady state at time 0.
    pub fn assume_online(&mut self, devices: u32) {
        let count = self.gateways.len() as u32;
        self.gateways.iter_mut().for_each(Gateway::assume_steady);
        for device in 0..devices {
            self.gateways[(device % self.shards % count) as usize].assume_online(device);
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

    /// The kernel's half for the blocks of frames among `count` records from record `first` of the inbox on. Sorts each block by
    /// time, writes a verdict per record (0 accepted, 1 answered, 2 dropped) and the answers, in blocks, to the outbox: how
    /// many records. The outbox must hold `count`.
    pub fn ingress(&mut self, first: u32, count: u32) -> Result<u32> {
        let mut arrays = self.arrays.take().ok_or_else(|| Error::from_reason("no arrays attached"))?;
        let inbox = owned_words(&mut arrays.inbox).get_mut(first as usize * WORDS..).unwrap_or_default();
        let mut records = std::mem::take(&mut self.inbox);
        records.clear();
        records.extend(inbox.chunks_exact(WORDS).take(count as usize).map(Record::read));
        let mut answers = Blocks::new(owned_words(&mut arrays.outbox));
        let verdicts = owned_bytes(&mut arrays.verdicts);
        let mut at = 0;
        while let Some(head) = records.get(at).copied() {
            let gateway = self.index_of(&head)?;
            if !self.frozen[gateway as usize] {
                self.gateways[gateway as usize].catch_up(head.time);
            }
            let rest = records.get_mut(at + 1..).unwrap_or_default();
            let frames = rest.iter().position(|r| r.kind() == kind::GATEWAY).unwrap_or(rest.len());
            let (block, _) = rest.split_at_mut(frames);
            block.sort_unstable();
            for (n, record) in (at + 1..).zip(block.iter()) {
                record.write(&mut inbox[n * WORDS..(n + 1) * WORDS]);
                let verdict = self.decide(gateway, record, &mut answers)?;
                if let Some(place) = verdicts.get_mut(n) {
                    *place = verdict;
                }
            }
            at += 1 + frames;
        }
        let written = answers.written;
        self.inbox = records;
        self.arrays = Some(arrays);
        Ok(written)
    }

    fn decide(&mut self, gateway: u32, record: &Record, answers: &mut Blocks<'_>) -> Result<u8> {
        self.digest.add(record);
        let frame = record.to_frame().ok_or_else(|| Error::from_reason("not a frame"))?;
        if self.is_shut_out(gateway, record) {
            return Ok(DROPPED);
        }
        Ok(match self.gateways[gateway as usize].ingress(record.time, record.device, &frame) {
            Ingress::Accept => ACCEPTED,
            Ingress::Drop(_) => DROPPED,
            // Only user space knows whose a shard is, and it looks at the MAC first.
            Ingress::Answer(_) if record.forger().is_some() => {
                self.open(gateway, record, &frame);
                DROPPED
            }
            Ingress::Answer(answer) => {
                if matches!(answer, Frame::Redirect { .. }) {
                    self.saw_redirected(gateway, record, &frame);
                }
                answers.put(gateway, &Record::from_frame(record.time, record.device, &answer))?;
                ANSWERED
            }
        })
    }

    /// User space's half: the first `count` records of the inbox (STORED; then per gateway, after a GATEWAY record, its accepted
    /// frames, OUTCOME, OPENED, MEMBER, FREEZE, RESTART, START, WIRE and ACCUSE in time order), then everything due before `horizon`. Frames, OPEN,
    /// CLOSE, SUBMISSION and ENTRY records go to the outbox, in blocks by gateway.
    pub fn handle(&mut self, horizon: f64, count: u32) -> Result<()> {
        let mut arrays = self.arrays.take().ok_or_else(|| Error::from_reason("no arrays attached"))?;
        let mut at = None;
        for record in arrays.inbox.chunks_exact(WORDS).take(count as usize).map(Record::read) {
            if record.kind() == kind::GATEWAY {
                at = Some(self.index_of(&record)?);
                continue;
            }
            self.digest.add(&record);
            if record.kind() == kind::STORED {
                if let Some(log) = &mut self.log {
                    log.decide(record.device, record.a, record.b != 0);
                }
                continue;
            }
            let gateway = at.ok_or_else(|| Error::from_reason("a record of no gateway"))?;
            self.handle_record(gateway, &record)?;
        }
        if let Some(swarms) = &mut self.swarms {
            swarms.run(horizon as u64, &mut self.gateways, &mut self.digest);
        }
        self.collect(horizon as u64);
        let records = crate::record::drain(&mut self.out, &mut self.sent, owned_words(&mut arrays.outbox));
        let is_busy = |(gateway, frozen): (&Gateway, &bool)| !frozen && !gateway.is_idle();
        // Gossip never rests.
        let busy = self.swarms.is_some() || self.gateways.iter().zip(&self.frozen).any(is_busy);
        let status = [f64::from(records), (self.out.len() - self.sent) as f64, f64::from(u8::from(busy))];
        for (slot, value) in owned_words(&mut arrays.counts).iter_mut().zip(status) {
            *slot = value;
        }
        self.arrays = Some(arrays);
        Ok(())
    }

    fn handle_record(&mut self, gateway: u32, record: &Record) -> Result<()> {
        let (time, on) = (record.time, record.b != 0);
        let Some(at) = self.gateways.get_mut(gateway as usize) else { return Ok(()) };
        match record.kind() {
            kind::OUTCOME => {
                let outcome = match record.b {
                    0 => Outcome::Failed,
                    1 => Outcome::Committed,
                    _ => Outcome::Fenced,
                };
                at.sink_outcome(time, record.a, outcome);
            }
            kind::OPENED if on => {
                if let Some(log) = &self.log {
                    at.opened(time, record.a, log.table.term(record.a), log.table.checkpoints(record.a));
                }
            }
            kind::OPENED => at.open_failed(time, record.a),
            kind::MEMBER => at.set_member(time, record.a, on),
            kind::FREEZE => {
                self.frozen[gateway as usize] = on;
                if let Some(swarms) = &mut self.swarms {
                    swarms.freeze(time, gateway, on);
                }
            }
            kind::RESTART => {
                at.restart(time);
                if let Some(swarms) = &mut self.swarms {
                    swarms.stop(time, gateway);
                }
            }
            kind::START | kind::WIRE | kind::ACCUSE => {
                if let Some(swarms) = &mut self.swarms {
                    swarms.take(gateway, record, at)?;
                }
            }
            _ => {
                let frame = record.to_frame().ok_or_else(|| Error::from_reason("not a frame"))?;
                self.open(gateway, record, &frame);
            }
        }
        Ok(())
    }

    /// The gateway that a GATEWAY record names.
    fn index_of(&self, record: &Record) -> Result<u32> {
        let is_known = record.kind() == kind::GATEWAY && (record.device as usize) < self.gateways.len();
        if is_known { Ok(record.device) } else { Err(Error::from_reason("no such gateway")) }
    }

    fn collect(&mut self, horizon: u64) {
        for (n, gateway) in (0..).zip(&mut self.gateways).filter(|(n, _)| !self.frozen[*n as usize]) {
            gateway.poll(horizon.saturating_sub(1));
            let before = self.out.len();
            self.out.push(Record::new(0, n, kind::GATEWAY, 0, 0));
            let frames = gateway.take_transmits();
            self.out.extend(frames.map(|t| Record::from_frame(t.at, t.device, &t.frame)));
            for request in gateway.take_sink_requests() {
                match request {
                    SinkRequest::Open { at, shard } => {
                        self.out.push(Record { a: shard, ..Record::new(at, n, kind::OPEN, 0, 0) });
                    }
                    SinkRequest::Close { at, shard } => {
                        self.out.push(Record { a: shard, ..Record::new(at, n, kind::CLOSE, 0, 0) });
                    }
                    SinkRequest::Store(submission) => {
                        if let Some(log) = &mut self.log {
                            log.submit(n, &submission);
                        }
                        Record::push_submission(&mut self.out, n, &submission);
                    }
                }
            }
            if self.out.len() == before + 1 {
                self.out.truncate(before);
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

    /// Sums over the gateways: hellos, deferred, offered, admitted, turned away, online, queued, the largest queue that one
    /// gateway ever had; then hellos redirected, shards taken over, shards taken away by others, and shards served.
    pub fn stats(&self, mut out: Float64ArraySlice<'_>) {
        let mut sums = [0u64; 12];
        for gateway in &self.gateways {
            let s = gateway.stats();
            let row = [s.hellos, s.deferred, s.offered, s.admitted, s.turned_away, s.online, s.queued];
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
            sums[7] = sums[7].max(s.queued_max);
            let more = [s.redirected, s.takeovers, s.fenced, s.shards];
            for (sum, value) in sums[8..].iter_mut().zip(more) {
                *sum += value;
            }
        }
        for (slot, sum) in words(&mut out).iter_mut().zip(sums) {
            *slot = sum as f64;
        }
    }

    /// What the controller of a gateway has decided, as far as it is kept: rows of time in microseconds, level, share of the
    /// sink (0: as set), sessions (0: as set) and reason, as its place in `decision_reasons`.
    pub fn decisions(&self, gateway: u32) -> Vec<f64> {
        let log = self.gateways.get(gateway as usize).into_iter().flat_map(Gateway::decisions);
        log.flat_map(|Decided { at, decision }| {
            [
                at as f64,
                f64::from(decision.level.number()),
                decision.capacity_per_second.unwrap_or(0) as f64,
                decision.sessions_per_second.unwrap_or(0) as f64,
                f64::from(decision.reason.code()),
            ]
        })
        .collect()
    }

    /// Names of the reasons of decisions.
    pub fn decision_reasons() -> Vec<String> {
        Reason::ALL.iter().map(|reason| reason.name().to_owned()).collect()
    }

    /// Names of the reasons for which frames are dropped, in the order of `drops`.
    pub fn drop_names() -> Vec<String> {
        DROP_NAMES.iter().chain(&UNREAD_NAMES).map(|name| (*name).to_owned()).collect()
    }

    /// Frames dropped so far, by reason.
    pub fn drops(&self) -> Vec<f64> {
        let by_gateways = (0..DROP_NAMES.len()).map(|n| self.gateways.iter().map(|g| g.drops()[n]).sum());
        by_gateways.chain(self.unread).map(|frames: u64| frames as f64).collect()
    }

    /// Digest of every event so far, hex.
    pub fn digest(&self) -> String {
        self.digest.hex()
    }
}

/// Records for the outbox, with a GATEWAY record wherever another gateway's begin.
struct Blocks<'a> {
    slots: std::slice::ChunksExactMut<'a, f64>,
    gateway: Option<u32>,
    written: u32,
}

impl<'a> Blocks<'a> {
    fn new(outbox: &'a mut [f64]) -> Self {
        Self { slots: outbox.chunks_exact_mut(WORDS), gateway: None, written: 0 }
    }

    fn put(&mut self, gateway: u32, record: &Record) -> Result<()> {
        if self.gateway != Some(gateway) {
            self.gateway = Some(gateway);
            self.write(&Record::new(0, gateway, kind::GATEWAY, 0, 0))?;
        }
        self.write(record)
    }

    fn write(&mut self, record: &Record) -> Result<()> {
        let slot = self.slots.next().ok_or_else(|| Error::from_reason("outbox too small"))?;
        record.write(slot);
        self.written += 1;
        Ok(())
    }
}
