//! Any event at any time: no panic, no stuck timer, and nothing that a stranger says changes anything.

use klais_burst_sync::{
    Admit, Backoff, BackoffKind, Cookie, Data, Defer, Device, DeviceConfig, Event, Frame, Hello, Intake,
    Lane, Nack, NackReason, Note, Offer, Outbox, Overflow, Schedule, State, Storage, Term, TermEcho,
};
use proptest::prelude::*;

#[derive(Default)]
struct Collect {
    frames: Vec<Frame>,
    lost: u64,
}

impl Outbox for Collect {
    fn send(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    fn note(&mut self, note: Note) {
        if let Note::Lost(losses) = note {
            self.lost += u64::from(losses.overflow) + u64::from(losses.volatile);
        }
    }
}

fn config(n: u64) -> DeviceConfig {
    let pick = |bits: u32, of: u64| n.rotate_right(bits) % of;
    let kinds = [
        BackoffKind::None,
        BackoffKind::Fixed,
        BackoffKind::Exponential,
        BackoffKind::FullJitter,
        BackoffKind::EqualJitter,
        BackoffKind::Decorrelated,
    ];
    let base_micros = if pick(3, 9) == 0 { u64::MAX } else { 50_000 };
    let long = |bits: u32, usual: u64| if pick(bits, 9) == 0 { u64::MAX } else { usual };
    DeviceConfig {
        schedule: Schedule::new(1_000_000, 3_000_000, 1, n),
        key: n,
        keep_alive_micros: [0, 700_000][pick(5, 2) as usize],
        storage: [Storage::Flash, Storage::Volatile][pick(7, 2) as usize],
        buffer_readings: [1, 10, u16::MAX][pick(9, 3) as usize],
        overflow: [Overflow::DropOldest, Overflow::DropNewest, Overflow::Decimate][pick(11, 3) as usize],
        sensing_backup: pick(13, 2) == 0,
        backoff: Backoff { kind: kinds[pick(15, 6) as usize], base_micros, cap_micros: long(17, 5_000_000) },
        hello_timeout_micros: long(19, 900_000),
        hello_timeout_max_micros: long(21, 8_000_000),
        request_timeout_micros: long(23, 900_000),
        retransmissions_max: [0, 3, 15, 255][pick(25, 4) as usize],
        window_frames: [1, 3, 255][pick(27, 3) as usize],
        frame_readings: [1, 7, 255][pick(29, 3) as usize],
        live_first: pick(31, 2) == 0,
        gateways: [1, 3, u16::MAX][pick(33, 3) as usize],
    }
}

fn mark() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0u32..300, 1 => any::<u32>(), 1 => Just(u32::MAX), 1 => (1u32 << 27) - 3..(1 << 27) + 3]
}

/// Small numbers, so that many match the session in force.
fn session() -> impl Strategy<Value = u16> {
    prop_oneof![9 => 0u16..12, 1 => any::<u16>()]
}

fn lane() -> impl Strategy<Value = Lane> {
    prop_oneof![Just(Lane::Live), Just(Lane::Backfill)]
}

fn data() -> impl Strategy<Value = Data> {
    (session(), lane(), mark(), mark(), any::<u16>(), any::<u16>(), any::<u32>(), any::<bool>(), 0u8..4)
        .prop_map(|(session, lane, prev, first, count, stride, due_millis, gap, round)| Data {
            session,
            lane,
            prev,
            first,
            count,
            stride,
            due_millis,
            gap,
            round,
            term: TermEcho::new(stride as u8),
        })
}

fn frame() -> impl Strategy<Value = Frame> {
    let marks = prop::option::of((mark(), mark()));
    let reason = prop_oneof![Just(NackReason::Gap), Just(NackReason::NoSession), Just(NackReason::Later)];
    prop_oneof![
        4 => (session(), marks, prop_oneof![Just(0), any::<u32>()], prop_oneof![Just(0), Just(9), any::<u16>()])
            .prop_map(|(session, marks, backfill_delay_millis, credit)| {
                let term = Term::new(if credit == 9 { 9 } else { 0 });
                Frame::Admit(Admit { session, marks, backfill_delay_millis, credit, term })
            }),
        2 => (session(), any::<u32>(), any::<u64>()).prop_map(|(session, delay_millis, mac)| {
            Frame::Defer(Defer { session, delay_millis, cookie: Cookie { slot: 1, mac } })
        }),
        1 => (session(), any::<u32>(), any::<u16>()).prop_map(|(session, delay_millis, port)| {
            Frame::Redirect { session, delay_millis, address: [0xfd; 16], port }
        }),
        4 => (session(), lane(), mark()).prop_map(|(session, lane, mark)| Frame::Ack { session, lane, mark }),
        3 => (session(), lane(), mark(), any::<u32>(), 0u8..4, reason).prop_map(
            |(session, lane, mark, delay_millis, round, reason)| {
                Frame::Nack(Nack { session, lane, mark, delay_millis, round, reason })
            }
        ),
        1 => session().prop_map(|session| Frame::Bye { session }),
        1 => data().prop_map(Frame::Data),
        1 => session().prop_map(|session| {
            Frame::Hello(Hello { session, epoch: 0, backlog: 1, cookie: None, acked: (0, 0), gateway: 0 })
        }),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Time passes, timers fire.
    Wait(u64),
    Do(Event),
    /// An ADMIT that fits.
    Admit(u16, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0u64..4_000_000).prop_map(Step::Wait),
        1 => any::<u32>().prop_map(|millis| Step::Wait(u64::from(millis) * 1_000)),
        1 => any::<u64>().prop_map(|boot_micros| Step::Do(Event::PowerOn { boot_micros })),
        3 => (0u64..9_000).prop_map(|boot_micros| Step::Do(Event::PowerOn { boot_micros })),
        1 => Just(Step::Do(Event::PowerOff)),
        1 => Just(Step::Do(Event::Refused)),
        1 => Just(Step::Do(Event::Timer)),
        4 => (any::<u16>(), 0u32..3_000).prop_map(|(credit, delay)| Step::Admit(credit, delay)),
        8 => frame().prop_map(|frame| Step::Do(Event::Frame(frame))),
    ]
}

/// A device, its clock, and the session it last asked for.
struct Rig {
    config: DeviceConfig,
    device: Device,
    now: u64,
    session: u16,
}

impl Rig {
    fn fire(&mut self, now: u64, event: Event) {
        let due = self.device.deadline() <= now;
        let mut out = Collect::default();
        self.device.handle(&self.config, 0, now, event, &mut out);
        let taken = self.config.schedule.taken(self.config.schedule.phase(0), now);
        for frame in &out.frames {
            match frame {
                Frame::Hello(hello) => self.session = hello.session,
                Frame::Data(data) if data.count > 0 => assert!(data.end() <= taken, "{data:?} at {taken}"),
                _ => {}
            }
        }
        match self.device.state() {
            State::Off => assert_eq!(self.device.deadline(), u64::MAX),
            _ => assert!(self.device.deadline() > now || (due && event != Event::Timer)),
        }
        assert!(out.lost <= u64::from(taken));
        let (held, _) = self.device.clone().settle(&self.config, 0, now);
        assert!(held <= taken);
        if self.device.state() != State::Online {
            assert!(held <= u32::from(self.config.buffer_readings));
        }
    }

    fn pass(&mut self, until: u64) {
        for _ in 0..200 {
            let due = self.device.deadline();
            if due > until {
                break;
            }
            self.fire(due, Event::Timer);
        }
        self.now = until;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_event_breaks_a_device(n in any::<u64>(), steps in prop::collection::vec(step(), 1..80), old in any::<bool>()) {
        let config = config(n);
        let online = n.is_multiple_of(2);
        let device = if online { Device::online(&config, 0) } else { Device::off() };
        let mut rig = Rig { config, device, now: 0, session: u16::from(online) };
        if old {
            rig.pass(5_000_000_000_000);
        }
        for step in steps {
            match step {
                Step::Wait(micros) => rig.pass(rig.now + micros),
                Step::Do(event) => rig.fire(rig.now, event),
                Step::Admit(credit, backfill_delay_millis) => {
                    let marks = Some(rig.device.acked());
                    let admit = Admit { session: rig.session, marks, backfill_delay_millis, credit, term: rig.device.term() };
                    rig.fire(rig.now, Event::Frame(Frame::Admit(admit)));
                }
            }
        }
    }

    #[test]
    fn a_stranger_is_not_heard(n in any::<u64>(), steps in prop::collection::vec(step(), 1..60), frame in frame()) {
        let config = config(n);
        let mut rig = Rig { config, device: Device::off(), now: 0, session: 0 };
        for step in steps {
            match step {
                Step::Wait(micros) => rig.pass(rig.now + micros),
                Step::Do(Event::Frame(_)) => {}
                Step::Do(event) => rig.fire(rig.now, event),
                Step::Admit(credit, backfill_delay_millis) => {
                    let admit = Admit { session: rig.session, marks: None, backfill_delay_millis, credit, term: rig.device.term() };
                    rig.fire(rig.now, Event::Frame(Frame::Admit(admit)));
                }
            }
        }
        let other = rig.session.wrapping_add(1 + (n % 60_000) as u16);
        let stray = match frame {
            Frame::Admit(f) => Frame::Admit(Admit { session: other, ..f }),
            Frame::Defer(f) => Frame::Defer(Defer { session: other, ..f }),
            Frame::Redirect { delay_millis, address, port, .. } => {
                Frame::Redirect { session: other, delay_millis, address, port }
            }
            Frame::Nack(f) => Frame::Nack(Nack { session: other, ..f }),
            Frame::Ack { lane, mark, .. } => Frame::Ack { session: other, lane, mark },
            Frame::Bye { .. } => Frame::Bye { session: other },
            Frame::Data(_) | Frame::Hello(_) => frame,
        };
        let before = format!("{:?}", rig.device);
        rig.fire(rig.now, Event::Frame(stray));
        prop_assert_eq!(before, format!("{:?}", rig.device));
    }

    #[test]
    fn no_data_breaks_an_intake(data in data(), mark in mark(), deduplicate in any::<bool>()) {
        match (Intake { mark, deduplicate }).offer(&data) {
            Offer::Append { first, count, end } => {
                prop_assert!(end >= mark && count <= data.count);
                prop_assert!(!deduplicate || count == 0 || (first >= mark && end > mark && data.prev <= mark));
                let last = u64::from(first) + u64::from(count.max(1) - 1) * u64::from(data.stride.max(1));
                prop_assert!(!deduplicate || last < u64::from(end) || end == u32::MAX);
            }
            Offer::Known => prop_assert!((deduplicate || data.count == 0) && data.end() <= mark),
            Offer::Gap => prop_assert!(data.prev > mark),
        }
    }
}
