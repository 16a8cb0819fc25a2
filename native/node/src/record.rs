//! One event in 32 bytes: four float64 words, so that a `Float64Array` carries it. Word 0 is the time in microseconds;
//! the other three are pairs of 32-bit integers (low half first), which JavaScript reads through an `Int32Array`:
//! device, meta, a, b, c, d. Meta is kind (8 bits), flags (8 bits), session (16 bits). `src/engine/record-layout.ts`
//! mirrors this file. Records of gateways name none: those that follow a GATEWAY record belong to the one that it names.

use klais_burst_sync::{
    Admit, Cookie, Data, Defer, Event, Frame, Hello, Lane, Nack, NackReason, Note, Term, TermEcho,
};
use klais_gateway::{SinkEntry, Submission};

/// In a SUBMISSION's `d`: it claims the shard, in the term that the bits from `CLAIM_SHIFT` on say.
const CLAIM: u32 = 1 << 31;
const CLAIM_SHIFT: u32 = 16;

/// Among the flags of DATA: it is under no key that a device has. `a` is the number of whoever sent it.
const FORGED: u8 = 1 << 7;

/// Float64 words per record.
pub const WORDS: usize = 4;

/// Kinds of records.
pub mod kind {
    pub const TIMER: u8 = 0;
    pub const POWER_ON: u8 = 1;
    pub const POWER_OFF: u8 = 2;
    pub const REFUSED: u8 = 3;
    pub const HELLO: u8 = 8;
    pub const ADMIT: u8 = 9;
    pub const DEFER: u8 = 10;
    pub const DATA: u8 = 11;
    pub const ACK: u8 = 12;
    pub const NACK: u8 = 13;
    pub const BYE: u8 = 14;
    pub const REDIRECT: u8 = 15;
    pub const CONNECTED: u8 = 32;
    pub const DISCONNECTED: u8 = 33;
    pub const LOST: u8 = 34;
    pub const SUBMISSION: u8 = 48;
    pub const ENTRY: u8 = 49;
    pub const OUTCOME: u8 = 50;
    pub const RESTART: u8 = 51;
    pub const GATEWAY: u8 = 52;
    pub const OPEN: u8 = 53;
    pub const OPENED: u8 = 54;
    pub const STORED: u8 = 55;
    pub const MEMBER: u8 = 56;
    pub const FREEZE: u8 = 57;
    pub const CLOSE: u8 = 58;
    pub const START: u8 = 59;
    pub const WIRE: u8 = 60;
    pub const ACCUSE: u8 = 61;
    /// In the digest alone, as the two after it.
    pub const GOSSIP: u8 = 62;
    pub const BLOCK: u8 = 63;
    pub const UNBLOCK: u8 = 64;
}

/// An unpacked record. The order of fields is the order of sorting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub time: u64,
    pub device: u32,
    pub meta: u32,
    pub a: u32,
    pub b: u32,
    pub c: u32,
    pub d: u32,
}

impl Record {
    pub fn new(time: u64, device: u32, kind: u8, flags: u8, session: u16) -> Self {
        let meta = u32::from(kind) | u32::from(flags) << 8 | u32::from(session) << 16;
        Self { time, device, meta, ..Self::default() }
    }

    pub fn kind(&self) -> u8 {
        self.meta as u8
    }

    /// Who has forged this frame, if anybody has.
    pub fn forger(&self) -> Option<u32> {
        (self.kind() == kind::DATA && self.flags() & FORGED != 0).then_some(self.a)
    }

    fn flags(&self) -> u8 {
        (self.meta >> 8) as u8
    }

    fn session(&self) -> u16 {
        (self.meta >> 16) as u16
    }

    pub fn read(words: &[f64]) -> Self {
        let pair = |n: usize| words.get(n).map_or(0, |w| w.to_bits());
        let (ids, ab, cd) = (pair(1), pair(2), pair(3));
        Self {
            time: words.first().map_or(0, |t| *t as u64),
            device: ids as u32,
            meta: (ids >> 32) as u32,
            a: ab as u32,
            b: (ab >> 32) as u32,
            c: cd as u32,
            d: (cd >> 32) as u32,
        }
    }

    pub fn write(&self, words: &mut [f64]) {
        let pair = |low: u32, high: u32| f64::from_bits(u64::from(low) | u64::from(high) << 32);
        let packed =
            [self.time as f64, pair(self.device, self.meta), pair(self.a, self.b), pair(self.c, self.d)];
        for (word, value) in words.iter_mut().zip(packed) {
            *word = value;
        }
    }

    pub fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let words = [
            self.time,
            u64::from(self.device) | u64::from(self.meta) << 32,
            u64::from(self.a) | u64::from(self.b) << 32,
            u64::from(self.c) | u64::from(self.d) << 32,
        ];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub fn from_frame(time: u64, device: u32, frame: &Frame) -> Self {
        match *frame {
            Frame::Hello(h) => {
                let with_cookie = u8::from(h.cookie.is_some());
                let record = Self::new(time, device, kind::HELLO, with_cookie, h.session);
                let a = u32::from(h.epoch) | u32::from(h.backlog) << 16;
                match h.cookie {
                    // A gateway that hands out cookies keeps marks of its own: the two share the record's words.
                    Some(Cookie { slot, mac }) => {
                        Self { a, b: mac as u32, c: (mac >> 32) as u32, d: slot, ..record }
                    }
                    None => Self { a, b: h.acked.0, c: h.acked.1, ..record },
                }
            }
            Frame::Admit(m) => {
                let (a, b) = m.marks.unwrap_or((0, 0));
                let record = Self::new(time, device, kind::ADMIT, u8::from(m.marks.is_some()), m.session);
                // As many owners as fit 16 bits are more than a run sees.
                let d = u32::from(m.credit) | m.term.number() << 16;
                Self { a, b, c: m.backfill_delay_millis, d, ..record }
            }
            Frame::Defer(f) => {
                let (mac, slot) = (f.cookie.mac, f.cookie.slot);
                let record = Self::new(time, device, kind::DEFER, 0, f.session);
                Self { a: f.delay_millis, b: mac as u32, c: (mac >> 32) as u32, d: slot, ..record }
            }
            // A simulated gateway has no address: the port is its number.
            Frame::Redirect { session, delay_millis, port, .. } => Self {
                a: delay_millis,
                d: u32::from(port),
                ..Self::new(time, device, kind::REDIRECT, 0, session)
            },
            Frame::Data(x) => {
                let flags = x.lane as u8 | u8::from(x.gap) << 1 | x.round << 2;
                let record = Self::new(time, device, kind::DATA, flags, x.session);
                Self {
                    a: x.prev,
                    b: x.first,
                    // A simulated frame holds 255 readings at most.
                    c: u32::from(x.count) & 0xff
                        | u32::from(x.term.number()) << 8
                        | u32::from(x.stride) << 16,
                    d: x.due_millis,
                    ..record
                }
            }
            Frame::Ack { session, lane, mark } => {
                Self { a: mark, ..Self::new(time, device, kind::ACK, lane as u8, session) }
            }
            Frame::Nack(n) => {
                let flags = n.lane as u8 | (n.reason as u8) << 1 | n.round << 3;
                Self { a: n.mark, b: n.delay_millis, ..Self::new(time, device, kind::NACK, flags, n.session) }
            }
            Frame::Bye { session } => Self::new(time, device, kind::BYE, 0, session),
        }
    }

    pub fn to_frame(self) -> Option<Frame> {
        let session = self.session();
        let lane = if self.flags() & 1 == 0 { Lane::Live } else { Lane::Backfill };
        let mac = u64::from(self.b) | u64::from(self.c) << 32;
        let cookie = Cookie { slot: self.d, mac };
        Some(match self.kind() {
            kind::HELLO => {
                let with_cookie = self.flags() & 1 != 0;
                Frame::Hello(Hello {
                    session,
                    epoch: self.a as u16,
                    backlog: (self.a >> 16) as u16,
                    cookie: with_cookie.then_some(cookie),
                    acked: if with_cookie { (0, 0) } else { (self.b, self.c) },
                    // Nobody overhears a simulated wire.
                    gateway: 0,
                })
            }
            kind::ADMIT => Frame::Admit(Admit {
                session,
                marks: (self.flags() & 1 != 0).then_some((self.a, self.b)),
                backfill_delay_millis: self.c,
                credit: self.d as u16,
                term: Term::new(self.d >> 16),
            }),
            kind::DEFER => Frame::Defer(Defer { session, delay_millis: self.a, cookie }),
            kind::REDIRECT => {
                Frame::Redirect { session, delay_millis: self.a, address: [0; 16], port: self.d as u16 }
            }
            kind::DATA => Frame::Data(Data {
                session,
                lane,
                prev: self.a,
                first: self.b,
                count: u16::from(self.c as u8),
                term: TermEcho::new((self.c >> 8) as u8),
                stride: (self.c >> 16) as u16,
                due_millis: self.d,
                gap: self.flags() & 2 != 0,
                round: (self.flags() >> 2) & 3,
            }),
            kind::ACK => Frame::Ack { session, lane, mark: self.a },
            kind::NACK => {
                let reason = match (self.flags() >> 1) & 3 {
                    0 => NackReason::Gap,
                    1 => NackReason::NoSession,
                    _ => NackReason::Later,
                };
                let round = (self.flags() >> 3) & 3;
                Frame::Nack(Nack { session, lane, mark: self.a, delay_millis: self.b, round, reason })
            }
            kind::BYE => Frame::Bye { session },
            _ => return None,
        })
    }

    pub fn to_event(self) -> Option<Event> {
        match self.kind() {
            kind::TIMER => None,
            kind::POWER_ON => {
                Some(Event::PowerOn { boot_micros: u64::from(self.a) | u64::from(self.b) << 32 })
            }
            kind::POWER_OFF => Some(Event::PowerOff),
            kind::REFUSED => Some(Event::Refused),
            kind::REDIRECT => Some(Event::Redirected {
                session: self.session(),
                gateway: self.d as u16,
                delay_millis: self.a,
            }),
            _ => self.to_frame().map(Event::Frame),
        }
    }

    pub fn from_note(time: u64, device: u32, note: Note) -> Self {
        match note {
            Note::Connected { backlog, attempts } => {
                Self { a: backlog, b: u32::from(attempts), ..Self::new(time, device, kind::CONNECTED, 0, 0) }
            }
            Note::Disconnected => Self::new(time, device, kind::DISCONNECTED, 0, 0),
            Note::Lost(losses) => {
                Self { a: losses.overflow, b: losses.volatile, ..Self::new(time, device, kind::LOST, 0, 0) }
            }
        }
    }

    /// A transaction: its head, then what it stores.
    pub fn push_submission(out: &mut Vec<Self>, gateway: u32, submission: &Submission) {
        let entries = submission.entries.len() as u32;
        let readings = submission.entries.iter().map(|e| u32::from(e.count)).sum();
        let claim = submission.claim.map_or(0, |term| CLAIM | (term.number() << CLAIM_SHIFT & !CLAIM));
        let head = Self::new(submission.at, gateway, kind::SUBMISSION, 0, 0);
        let d = submission.shard | claim;
        out.push(Self { a: submission.batch, b: entries, c: readings, d, ..head });
        out.extend(submission.entries.iter().map(|e| Self::from_entry(submission.at, e.device, e)));
    }

    fn from_entry(time: u64, device: u32, entry: &SinkEntry) -> Self {
        let c = u32::from(entry.count) | u32::from(entry.stride) << 16;
        let record = Self::new(time, device, kind::ENTRY, entry.lane as u8, entry.session);
        Self { a: entry.first, b: u32::from(entry.epoch), c, d: entry.due_millis, ..record }
    }
}

/// Moves records from `out`, from `sent` on, into `outbox` as far as they fit: how many.
pub fn drain(out: &mut Vec<Record>, sent: &mut usize, outbox: &mut [f64]) -> u32 {
    let mut moved = 0;
    for (words, record) in outbox.chunks_exact_mut(WORDS).zip(out.iter().skip(*sent)) {
        record.write(words);
        moved += 1;
    }
    *sent += moved as usize;
    if *sent == out.len() {
        out.clear();
        *sent = 0;
    }
    moved
}
