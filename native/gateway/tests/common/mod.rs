//! What the tests of the gateway share.
#![allow(dead_code)]

// The same dice as the tests of burst sync.
#[path = "../../../burst-sync/tests/common/chance.rs"]
pub mod chance;
pub mod checks;
pub mod cluster;
pub mod log;
pub mod plan;
pub mod world;

use klais_burst_sync::{Data, Frame, Hello, Lane, Term, TermEcho};
use klais_dam::{DamConfig, Limit, SessionMode};
use klais_gateway::{
    ControllerConfig, DROP_NAMES, Gateway, GatewayConfig, Ingress, Outcome, SinkRequest, Submission,
};

pub const SECOND: u64 = 1_000_000;

/// A gateway under slots with room for everything and a sink of 1,000 readings a second.
pub fn config(devices: u32) -> GatewayConfig {
    let capacity = 1_000;
    let dam = DamConfig {
        live: Some(Limit::per_second(capacity, 2 * capacity)),
        backfill: Some(Limit::per_second(capacity, capacity)),
        global: Some(Limit::per_second(capacity, 2 * capacity)),
        sessions: Some(Limit::per_second(1_000, 1_000)),
        session_mode: SessionMode::Slots,
        ..DamConfig::open(devices)
    };
    GatewayConfig {
        gateway: 0,
        gateways: 1,
        shards: 1,
        devices,
        dam_by_shard: false,
        assume_online: false,
        addresses: Vec::new(),
        dam,
        deduplicate: true,
        slots: true,
        controller: ControllerConfig::Fixed,
        capacity_per_second: capacity,
        overbook_permille: 1_000,
        sink_queue_readings: 1_000_000,
        undecided_frames_max: u64::MAX,
        backfill_queue_readings: 1_000_000,
        frame_readings: 64,
        commit_interval_micros: 100_000,
        commit_offset_micros: 0,
        batch_readings_max: 10_000,
        standby_devices_max: 16,
        batches_in_flight_max: 1,
        pending_hellos_max: 16,
    }
}

pub fn gateway(config: &GatewayConfig) -> Gateway {
    let mut gateway = Gateway::new(config.clone()).expect("a valid configuration");
    gateway.assume_steady();
    gateway
}

/// What the gateway wants stored.
pub fn submissions(gateway: &mut Gateway) -> Vec<Submission> {
    let stores = gateway.take_sink_requests().filter_map(|request| match request {
        SinkRequest::Store(submission) => Some(submission),
        SinkRequest::Open { .. } | SinkRequest::Close { .. } => None,
    });
    stores.collect()
}

/// A transaction fails, and a second later the log, fenced, says that nothing of it is stored.
pub fn fail(gateway: &mut Gateway, now: u64, batch: u32) {
    gateway.sink_outcome(now, batch, Outcome::Failed);
    gateway.poll(now + SECOND);
    let requests: Vec<_> = gateway.take_sink_requests().collect();
    let [SinkRequest::Open { shard, .. }] = requests[..] else { panic!("{requests:?}") };
    gateway.opened(now + SECOND, shard, Some(Term::default()), []);
}

/// Frames dropped for a reason.
pub fn dropped(gateway: &Gateway, name: &str) -> u64 {
    let place = DROP_NAMES.iter().position(|n| *n == name).expect("a known reason");
    gateway.drops()[place]
}

pub fn all_dropped(gateway: &Gateway) -> u64 {
    gateway.drops().iter().sum()
}

/// A frame that arrives: through the dam and, where it passes, to user space.
pub fn arrive(gateway: &mut Gateway, now: u64, device: u32, frame: &Frame) -> Ingress {
    let verdict = gateway.ingress(now, device, frame);
    if verdict == Ingress::Accept {
        gateway.handle(now, device, frame, ());
    }
    verdict
}

pub fn hello(session: u16, epoch: u16, backlog: u16) -> Frame {
    Frame::Hello(Hello { session, epoch, backlog, cookie: None, acked: (0, 0), gateway: 0 })
}

/// `first` to `end` - 1, sent after everything below `prev`.
pub fn data(session: u16, lane: Lane, prev: u32, first: u32, end: u32) -> Frame {
    let count = (end - first) as u16;
    Frame::Data(Data {
        session,
        lane,
        prev,
        first,
        count,
        stride: 1,
        due_millis: 0,
        gap: false,
        round: 0,
        term: TermEcho::default(),
    })
}

/// Everything that the gateway has to send.
pub fn sent(gateway: &mut Gateway) -> Vec<(u32, Frame)> {
    gateway.take_transmits().map(|t| (t.device, t.frame)).collect()
}
