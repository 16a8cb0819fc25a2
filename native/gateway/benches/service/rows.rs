//! The rows: frames that come in, and the gateway that they come to.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures wall time, outside of every decision"
)]

use std::hint::black_box;
use std::time::Instant;

use klais_burst_sync::wire::{self, FRAME_BYTES_MAX, MasterKeys, Parsed};
use klais_burst_sync::{Data, Frame, Hello, Lane};
use klais_gateway::{Admission, ControllerConfig, Gateway, GatewaySettings, Ingress, Outcome, SinkRequest};
use klais_units::{draw, scale};

/// Frames of a slice, which a time slice of the scheduler holds whole; each is another device's.
const SLICE: usize = 2_048;
/// Slices of a sample.
const SLICES: usize = 24;
/// Bytes of a reading.
const READING_BYTES: usize = 12;
/// Readings that a device owes when it comes back.
const BACKLOG: u16 = 60;
const COMMIT_MICROS: u64 = 100_000;
/// Nobody is held back by these rates, in events per second.
const WIDE: u64 = 100_000_000;
/// So few sessions a second that everybody is told to come back later.
const NARROW: u64 = 1_000;
/// Devices beside those measured, which take what a session bucket grants at once and the first slots.
const SPARE: u32 = 512;
const EPOCH: u8 = 0;

/// What comes, and what must become of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// A HELLO over the rate: DEFER, as the kernel answers it where XDP is attached.
    Deferred,
    /// A HELLO that opens a session: ADMIT.
    Admitted,
    /// A HELLO under another device's key: nothing.
    Forged,
    /// A live frame of so many readings: stored by a sink that decides at once, ACK.
    Acknowledged(u16),
}

/// One figure.
pub struct Row {
    pub name: String,
    case: Case,
    keys: MasterKeys,
    gateway: Gateway,
    /// Devices in no order.
    order: Vec<u32>,
    /// Frames so far.
    seen: usize,
    now_micros: u64,
    frames: Vec<u8>,
    frame_bytes: usize,
}

/// All of them, over so many devices.
pub fn all(devices: u32) -> Vec<Row> {
    let acknowledged = |readings: u16| {
        let of = if readings == 1 { "1 reading".to_owned() } else { format!("{readings} readings") };
        (format!("DATA of {of}, stored and acknowledged"), Case::Acknowledged(readings))
    };
    let cases = [
        ("HELLO answered DEFER".to_owned(), Case::Deferred),
        ("HELLO answered ADMIT".to_owned(), Case::Admitted),
        ("HELLO forged, dropped".to_owned(), Case::Forged),
        acknowledged(1),
        acknowledged(8),
        acknowledged(64),
    ];
    cases.map(|(name, case)| Row::new(name, case, devices)).into()
}

impl Row {
    fn new(name: String, case: Case, devices: u32) -> Self {
        let sessions = if case == Case::Deferred { NARROW } else { WIDE };
        let config = settings(devices + SPARE, sessions).to_config(0).expect("settings that work");
        let mut row = Self {
            name,
            case,
            keys: MasterKeys::new(*b"a bench's master", EPOCH),
            gateway: Gateway::new(config).expect("a gateway"),
            order: shuffled(devices),
            seen: 0,
            now_micros: 0,
            frames: Vec::new(),
            frame_bytes: 0,
        };
        row.gateway.assume_steady();
        for device in 0..devices {
            row.gateway.assume_online(device);
        }
        for device in devices..devices + SPARE {
            let _ = row.gateway.ingress(0, device, &hello(1));
        }
        row
    }

    /// Nanoseconds per frame.
    pub fn sample(&mut self) -> f64 {
        let mut slices: Vec<f64> = (0..SLICES)
            .map(|_| {
                self.prepare();
                let start = Instant::now();
                let ended = self.run();
                let nanos = start.elapsed().as_nanos() as f64;
                assert_eq!(ended, SLICE, "{}: frames that met another end", self.name);
                nanos / SLICE as f64
            })
            .collect();
        slices.sort_by(f64::total_cmp);
        slices[SLICES / 2]
    }

    /// The next frames, as a socket would hand them over.
    fn prepare(&mut self) {
        self.frames.clear();
        for _ in 0..SLICE {
            let device = self.order[self.seen % self.order.len()];
            let visit = (self.seen / self.order.len()) as u32;
            self.seen += 1;
            let (frame, payload) = match self.case {
                Case::Acknowledged(readings) => {
                    let bytes = usize::from(readings) * READING_BYTES;
                    (data(readings, visit * u32::from(readings)), bytes)
                }
                _ => (hello(2 + visit as u16), 0),
            };
            let signer = device + u32::from(self.case == Case::Forged);
            let mut bytes = [0; FRAME_BYTES_MAX];
            let payload = &[0x5a; FRAME_BYTES_MAX][..payload];
            self.frame_bytes =
                encode(&self.keys, signer, device, &frame, payload, &mut bytes).expect("a frame");
            self.frames.extend_from_slice(&bytes[..self.frame_bytes]);
        }
    }

    /// Opens, decides, handles and answers them: how many met the end of this row.
    fn run(&mut self) -> usize {
        let Self { keys, gateway, frames, now_micros, .. } = self;
        let mut out = [0; FRAME_BYTES_MAX];
        let (mut refused, mut answered) = (0, 0);
        for bytes in frames.chunks_exact(self.frame_bytes) {
            let Ok(Parsed { device, frame, .. }) = wire::open(black_box(bytes), keys) else {
                refused += 1;
                continue;
            };
            match gateway.ingress(*now_micros, device, &frame) {
                Ingress::Accept => gateway.handle(*now_micros, device, &frame, ()),
                Ingress::Answer(answer) => {
                    answered += usize::from(encode(keys, device, device, &answer, &[], &mut out).is_some());
                }
                Ingress::Drop(_) => {}
            }
        }
        if let Case::Acknowledged(_) = self.case {
            *now_micros += COMMIT_MICROS;
            gateway.poll(*now_micros);
            let batches: Vec<u32> = gateway.take_sink_requests().filter_map(batch_of).collect();
            for batch in batches {
                gateway.sink_outcome(*now_micros, batch, Outcome::Committed);
            }
        }
        for transmit in gateway.take_transmits() {
            let device = transmit.device;
            answered += usize::from(encode(keys, device, device, &transmit.frame, &[], &mut out).is_some());
        }
        black_box(out);
        if self.case == Case::Forged { refused } else { answered }
    }
}

/// Writes a frame of `device` under the key of `signer`: its length.
fn encode(
    keys: &MasterKeys,
    signer: u32,
    device: u32,
    frame: &Frame,
    payload: &[u8],
    out: &mut [u8],
) -> Option<usize> {
    let key = keys.device_key(signer, EPOCH)?;
    wire::encode(frame, device, EPOCH, &key, payload, out).ok()
}

fn hello(session: u16) -> Frame {
    Frame::Hello(Hello { session, epoch: 0, backlog: BACKLOG, cookie: None, acked: (0, 0), gateway: 0 })
}

fn data(count: u16, first: u32) -> Frame {
    Frame::Data(Data {
        session: 1,
        lane: Lane::Live,
        prev: first,
        first,
        count,
        stride: 1,
        due_millis: 0,
        gap: false,
        round: 0,
        term: klais_burst_sync::TermEcho::default(),
    })
}

fn settings(devices: u32, sessions_per_second: u64) -> GatewaySettings {
    GatewaySettings {
        devices,
        gateways: 1,
        shards: 1,
        dam_by_shard: false,
        assume_online: false,
        addresses: Vec::new(),
        cookie_key: *b"cookies of a row",
        admission: Admission::Slots,
        deduplicate: true,
        controller: ControllerConfig::Fixed,
        capacity_per_second: WIDE,
        sessions_per_second,
        slot_window_micros: 60_000_000,
        overbook_permille: 1_000,
        sink_queue_readings: WIDE,
        undecided_frames_max: WIDE,
        backfill_queue_readings: WIDE,
        commit_interval_micros: COMMIT_MICROS,
        batch_readings_max: WIDE,
        batches_in_flight_max: 1,
        buffer_readings: 1_000_000,
        frame_readings: 64,
    }
}

/// Devices in no order (Fisher and Yates).
fn shuffled(devices: u32) -> Vec<u32> {
    const SEED: u64 = 7;
    let mut order: Vec<u32> = (0..devices).collect();
    for n in (1..order.len()).rev() {
        order.swap(n, scale(draw(SEED, n as u64, 0, 0), n as u64 + 1) as usize);
    }
    order
}

fn batch_of(request: SinkRequest) -> Option<u32> {
    match request {
        SinkRequest::Store(submission) => Some(submission.batch),
        SinkRequest::Open { .. } | SinkRequest::Close { .. } => None,
    }
}
