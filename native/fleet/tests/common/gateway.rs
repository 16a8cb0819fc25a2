//! The real gateway behind a UDP socket on loopback, with a sink that commits at once and a network that can lose.

use super::{KEY_EPOCH, MASTER_KEY, READING_BYTES, chance, monotonic_nanos};
use klais_burst_sync::Frame;
use klais_burst_sync::wire::{FRAME_BYTES_MAX, MasterKeys, encode, open};
use klais_gateway::{Admission, Gateway, GatewaySettings, Ingress, Outcome, SinkEntry, SinkRequest};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the gateway saw and stored.
#[derive(Debug, Default)]
pub struct Seen {
    /// Distinct readings, per device.
    pub stored: BTreeMap<u32, BTreeSet<u32>>,
    pub readings: u64,
    /// Frames by their source: a device has one address.
    pub sources: BTreeMap<u32, SocketAddrV4>,
    pub moved: u64,
    /// Datagrams that were no frame, by reason.
    pub errors: BTreeMap<&'static str, u64>,
    pub dropped: u64,
    pub passed: u64,
    pub deferred: u64,
    pub ill_sized: u64,
}

/// A gateway in a thread of its own.
pub struct TestGateway {
    pub address: SocketAddrV4,
    pub origin_nanos: u64,
    pub time_scale: f64,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
    _turn: MutexGuard<'static, ()>,
}

/// Fleets of several tests at once would be late by each other.
static ONE_FLEET_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Server {
    socket: UdpSocket,
    gateway: Gateway,
    keys: MasterKeys,
    origin_nanos: u64,
    time_scale: f64,
    loss_permille: u64,
    frames: u64,
    seen: Seen,
}

pub fn settings(devices: u32) -> GatewaySettings {
    GatewaySettings {
        devices,
        gateways: 1,
        shards: 1,
        dam_by_shard: false,
        assume_online: false,
        addresses: Vec::new(),
        cookie_key: [1; 16],
        admission: Admission::Slots,
        deduplicate: true,
        controller: klais_gateway::ControllerConfig::Fixed,
        capacity_per_second: 20_000,
        sessions_per_second: 500,
        slot_window_micros: 10_000_000,
        overbook_permille: 1_000,
        sink_queue_readings: 1_000_000,
        undecided_frames_max: 1_000_000,
        backfill_queue_readings: 100_000,
        commit_interval_micros: 20_000,
        batch_readings_max: 10_000,
        batches_in_flight_max: 1,
        buffer_readings: 600,
        frame_readings: 16,
    }
}

impl TestGateway {
    /// All its devices have a session. Loses so many frames in a thousand, either way.
    pub fn start(settings: &GatewaySettings, time_scale: f64, loss_permille: u64) -> Self {
        let turn = ONE_FLEET_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gateway = Gateway::new(settings.to_config(0).expect("a configuration")).expect("a gateway");
        gateway.assume_steady();
        (0..settings.devices).for_each(|device| gateway.assume_online(device));
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        // A wave of HELLOs and a flood may wait here together, as far as the system allows.
        let room = 8 << 20;
        setsockopt(&socket, RcvBufForce, &room).or_else(|_| setsockopt(&socket, RcvBuf, &room)).expect("set");
        socket.set_read_timeout(Some(Duration::from_millis(1))).expect("set");
        let SocketAddr::V4(address) = socket.local_addr().expect("bound") else { panic!("not IPv4") };
        // Time for the fleet to start.
        let origin_nanos = monotonic_nanos() + 200_000_000;
        let stop = Arc::new(AtomicBool::new(false));
        let mut server = Server {
            socket,
            gateway,
            keys: MasterKeys::new(MASTER_KEY, KEY_EPOCH),
            origin_nanos,
            time_scale,
            loss_permille,
            frames: 0,
            seen: Seen::default(),
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                server.turn();
            }
            server.seen.dropped = server.gateway.drops().iter().sum();
            server.seen.deferred = server.gateway.stats().deferred;
            server.seen
        });
        Self { address, origin_nanos, time_scale, stop, thread, _turn: turn }
    }

    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the gateway lives")
    }
}

impl Server {
    fn now(&self) -> u64 {
        (monotonic_nanos().saturating_sub(self.origin_nanos) as f64 * self.time_scale / 1_000.0) as u64
    }

    fn turn(&mut self) {
        let mut datagram = [0; 2_048];
        if let Ok((bytes, SocketAddr::V4(from))) = self.socket.recv_from(&mut datagram)
            && !self.is_lost()
        {
            self.on_datagram(&datagram[..bytes], from);
        }
        let now = self.now();
        self.gateway.poll(now);
        let stores = self.gateway.take_sink_requests().filter_map(|request| match request {
            SinkRequest::Store(submission) => Some(submission),
            SinkRequest::Open { .. } | SinkRequest::Close { .. } => None,
        });
        let submissions: Vec<_> = stores.collect();
        for submission in submissions {
            submission.entries.iter().for_each(|entry| self.store(entry));
            self.gateway.sink_outcome(now, submission.batch, Outcome::Committed);
        }
        let transmits: Vec<_> = self.gateway.take_transmits().collect();
        transmits.iter().for_each(|transmit| self.send(transmit.device, &transmit.frame));
    }

    fn is_lost(&mut self) -> bool {
        self.frames += 1;
        chance(self.frames, self.loss_permille)
    }

    fn on_datagram(&mut self, datagram: &[u8], from: SocketAddrV4) {
        let parsed = match open(datagram, &self.keys) {
            Ok(parsed) => parsed,
            Err(error) => {
                *self.seen.errors.entry(error.name()).or_default() += 1;
                return;
            }
        };
        let (device, frame) = (parsed.device, parsed.frame);
        if let Frame::Data(data) = frame {
            let wanted = usize::from(data.count) * READING_BYTES;
            self.seen.ill_sized += u64::from(parsed.payload.len() != wanted);
        }
        let before = self.seen.sources.insert(device, from);
        self.seen.moved += u64::from(before.is_some_and(|b| b != from));
        let now = self.now();
        match self.gateway.ingress(now, device, &frame) {
            Ingress::Accept => {
                self.seen.passed += 1;
                self.gateway.handle(now, device, &frame, ());
            }
            Ingress::Answer(answer) => self.send(device, &answer),
            Ingress::Drop(_) => {}
        }
    }

    fn store(&mut self, entry: &SinkEntry) {
        let stored = self.seen.stored.entry(entry.device).or_default();
        for n in 0..u32::from(entry.count) {
            let fresh = stored.insert(entry.first + n * u32::from(entry.stride.max(1)));
            assert!(fresh, "stored twice: {entry:?}");
            self.seen.readings += 1;
        }
    }

    fn send(&mut self, device: u32, frame: &Frame) {
        if self.is_lost() {
            return;
        }
        let Some(to) = self.seen.sources.get(&device) else { return };
        let mut datagram = [0; FRAME_BYTES_MAX];
        let key = self.keys.device_key(device, KEY_EPOCH).expect("a key");
        let bytes = encode(frame, device, KEY_EPOCH, &key, &[], &mut datagram).expect("a frame");
        self.socket.send_to(&datagram[..bytes], to).expect("sent");
    }
}
