//! One device, step by step: what a bad minute once broke.

#[path = "common/one_device.rs"]
mod one_device;

use klais_burst_sync::{
    Admit, ConfigError, Data, Device, DeviceConfig, Event, Frame, Lane, Nack, NackReason, Note, Outbox,
    READING_INDEX_MAX, Schedule, State,
};
use one_device::{SECOND, config};

const DAY: u64 = 86_400 * SECOND;

#[derive(Default)]
struct Collect(Vec<Frame>, u32);

impl Outbox for Collect {
    fn send(&mut self, frame: Frame) {
        self.0.push(frame);
    }

    fn note(&mut self, note: Note) {
        if let Note::Lost(losses) = note {
            self.1 += losses.overflow + losses.volatile;
        }
    }
}

struct Rig {
    config: DeviceConfig,
    device: Device,
    now: u64,
    session: u16,
    lost: u32,
}

impl Rig {
    fn online(config: DeviceConfig) -> Self {
        Self { config, device: Device::online(&config, 0), now: 0, session: 1, lost: 0 }
    }

    /// Offline for `micros` since the first instant, then connected.
    fn after_outage(config: DeviceConfig, micros: u64, credit: u16) -> (Self, Vec<Data>) {
        let mut rig = Self::online(config);
        rig.fire(Event::Refused);
        rig.wait(micros);
        let sent = rig.reconnect(credit, 0);
        (rig, sent)
    }

    fn fire(&mut self, event: Event) -> Vec<Data> {
        let mut out = Collect::default();
        self.device.handle(&self.config, 0, self.now, event, &mut out);
        self.lost += out.1;
        out.0
            .into_iter()
            .filter_map(|frame| match frame {
                Frame::Data(data) => Some(data),
                Frame::Hello(hello) => {
                    self.session = hello.session;
                    None
                }
                other => panic!("a device sent {other:?}"),
            })
            .collect()
    }

    /// Lets time pass: what the timers sent.
    fn wait(&mut self, micros: u64) -> Vec<Data> {
        let until = self.now + micros;
        let mut sent = Vec::new();
        while self.device.deadline() <= until {
            self.now = self.device.deadline();
            sent.extend(self.fire(Event::Timer));
        }
        self.now = until;
        sent
    }

    fn reconnect(&mut self, credit: u16, backfill_delay_millis: u32) -> Vec<Data> {
        while self.device.state() != State::Connecting {
            self.wait(SECOND);
        }
        self.admit(credit, backfill_delay_millis)
    }

    fn admit(&mut self, credit: u16, backfill_delay_millis: u32) -> Vec<Data> {
        let marks = Some(self.device.acked());
        let admit = Admit {
            session: self.session,
            marks,
            backfill_delay_millis,
            credit,
            term: klais_burst_sync::Term::default(),
        };
        self.fire(Event::Frame(Frame::Admit(admit)))
    }

    fn ack(&mut self, lane: Lane, mark: u32) -> Vec<Data> {
        self.fire(Event::Frame(Frame::Ack { session: self.session, lane, mark }))
    }

    fn nack(&mut self, lane: Lane, mark: u32, reason: NackReason) -> Vec<Data> {
        let nack = Nack { session: self.session, lane, mark, delay_millis: 0, round: 0, reason };
        self.fire(Event::Frame(Frame::Nack(nack)))
    }

    fn held(&self) -> u32 {
        self.device.clone().settle(&self.config, 0, self.now).0
    }
}

fn of(lane: Lane, data: &[Data]) -> Vec<&Data> {
    data.iter().filter(|d| d.lane == lane && d.count > 0).collect()
}

/// Answers on the live lane put off the timer of the backfill lane without end.
#[test]
fn lost_backfill_is_sent_again_though_live_goes_well() {
    let config = DeviceConfig { schedule: Schedule::new(SECOND, SECOND, 1, 1), ..config() };
    let (mut rig, first) = Rig::after_outage(config, 60 * SECOND, 100);
    assert!(!of(Lane::Backfill, &first).is_empty());
    let mut again = 0;
    for _ in 0..12 {
        for data in rig.wait(SECOND) {
            again += u32::from(data.lane == Lane::Backfill);
            if data.lane == Lane::Live {
                rig.ack(Lane::Live, data.end());
            }
        }
    }
    assert!(again > 0, "never sent again");
}

/// The same the other way round, with a window of one frame, which no later frame can show to be lost.
#[test]
fn lost_live_is_sent_again_though_backfill_goes_well() {
    let config = DeviceConfig { window_frames: 1, ..config() };
    let (mut rig, mut backfill) = Rig::after_outage(config, 500 * SECOND, 1_000);
    let mut live = 0;
    for _ in 0..30 {
        let last = of(Lane::Backfill, &backfill).last().map(|d| d.end());
        let mut sent = last.map_or_else(Vec::new, |mark| rig.ack(Lane::Backfill, mark));
        sent.extend(rig.wait(SECOND));
        live += of(Lane::Live, &sent).len();
        backfill = sent;
    }
    assert!(live > 1, "sent {live} times");
}

/// Both lanes always have something on their way, and the answers take their time.
#[test]
fn a_lane_that_moves_is_not_sent_again() {
    let schedule = Schedule::new(SECOND, 2 * SECOND, 1, 1);
    let config = DeviceConfig { schedule, retransmissions_max: 0, ..config() };
    let (mut rig, mut sent) = Rig::after_outage(config, 900 * SECOND, 1_000);
    let mut answers = std::collections::VecDeque::new();
    let mut backfilled = 0;
    for _ in 0..120 {
        backfilled += of(Lane::Backfill, &sent).iter().map(|d| d.count).sum::<u16>();
        answers.extend(sent.drain(..).map(|d| (rig.now + 3 * SECOND, d.lane, d.end())));
        sent = rig.wait(SECOND / 2);
        while let Some((_, lane, mark)) = answers.pop_front_if(|(at, ..)| *at <= rig.now) {
            sent.extend(rig.ack(lane, mark));
        }
        assert_eq!(rig.device.state(), State::Online);
    }
    assert!(backfilled > 500 && u32::from(backfilled) <= rig.device.acked().1 + 40, "{backfilled}");
}

/// A live report at every timer kept the device from ever asking for more.
#[test]
fn used_up_credit_is_asked_for_again_at_once() {
    let (mut rig, sent) = Rig::after_outage(config(), 60 * SECOND, 20);
    assert_eq!(of(Lane::Backfill, &sent).iter().map(|d| d.count).sum::<u16>(), 20);
    rig.ack(Lane::Backfill, sent.last().unwrap().end());
    assert_eq!(rig.device.state(), State::Connecting);
    let sent = rig.admit(100, 0);
    assert_eq!(sent[0].first, 20);
}

#[test]
fn no_credit_is_asked_for_again_after_its_delay_and_not_before() {
    let (mut rig, _) = Rig::after_outage(config(), 60 * SECOND, 20);
    rig.ack(Lane::Backfill, 20);
    rig.admit(0, 15_000);
    for second in 1..=15 {
        assert_eq!(rig.device.state(), State::Online, "second {second}");
        for data in rig.wait(SECOND) {
            rig.ack(Lane::Live, data.end());
        }
    }
    assert_eq!(rig.device.state(), State::Connecting);
}

/// `half` held 32 bits of milliseconds: from day 50 on every timer was overdue.
#[test]
fn a_device_keeps_time_for_years() {
    for days in [0, 12, 13, 49, 50, 400] {
        let mut rig = Rig::online(config());
        rig.fire(Event::Refused);
        rig.now = (days + 1) * DAY;
        rig.fire(Event::Timer);
        let sent = rig.admit(20, 0);
        assert_eq!(of(Lane::Backfill, &sent).len(), 2);
        assert!(of(Lane::Backfill, &rig.wait(4 * SECOND - 1_000)).is_empty(), "sent again too early");
        assert_eq!(of(Lane::Backfill, &rig.wait(2_000)).len(), 2, "not sent again");
    }
}

/// A keep-alive shorter than the timeout put the timer off without end.
#[test]
fn keep_alives_do_not_put_off_what_is_lost() {
    let config = DeviceConfig { keep_alive_micros: 2 * SECOND, ..config() };
    let mut rig = Rig::online(config);
    let sent = rig.wait(40 * SECOND);
    let first = of(Lane::Live, &sent)[0].first;
    let times = of(Lane::Live, &sent).iter().filter(|d| d.first == first).count();
    assert!(times > 1, "lost data was never sent again");
}

/// An unanswered keep-alive is sent again after the timeout, not with the next one.
#[test]
fn a_dead_session_is_noticed_between_keep_alives() {
    let schedule = Schedule::new(DAY, DAY, 1, 1);
    let config = DeviceConfig { schedule, keep_alive_micros: 3_600 * SECOND, ..config() };
    let mut rig = Rig::online(config);
    rig.wait(schedule.phase(0));
    rig.ack(Lane::Live, 1);
    rig.wait(3_600 * SECOND + 200 * SECOND);
    assert_ne!(rig.device.state(), State::Online);
}

/// Reports of 3 readings and frames of 2: one frame too many was on its way.
#[test]
fn the_live_window_counts_readings() {
    let schedule = Schedule::new(SECOND, 3 * SECOND, 1, 1);
    let config = DeviceConfig {
        schedule,
        window_frames: 2,
        frame_readings: 4,
        request_timeout_micros: 60 * SECOND,
        ..config()
    };
    let sent = Rig::online(config).wait(30 * SECOND);
    assert_eq!(of(Lane::Live, &sent).iter().map(|d| d.count).sum::<u16>(), 8);
}

/// A NACK that names a mark ahead of everything sent left the lane waiting for nothing.
#[test]
fn a_nack_from_the_future_skips_nothing() {
    let run = |mark: Option<u32>| {
        let (mut rig, sent) = Rig::after_outage(config(), 30 * SECOND, 100);
        rig.ack(Lane::Backfill, sent.last().unwrap().end());
        if let Some(mark) = mark {
            rig.nack(Lane::Live, mark, NackReason::Gap);
            rig.nack(Lane::Backfill, mark, NackReason::Gap);
        }
        rig.wait(30 * SECOND)
    };
    assert_eq!(run(Some(5_000)), run(None));
}

/// An ACK or ADMIT that names readings not taken yet must not make them vanish.
#[test]
fn marks_end_where_readings_end() {
    let (mut rig, _) = Rig::after_outage(config(), 60 * SECOND, 100);
    rig.ack(Lane::Live, u32::MAX);
    rig.ack(Lane::Backfill, u32::MAX);
    rig.fire(Event::Refused);
    rig.wait(SECOND / 2);
    let held = rig.held();
    rig.wait(20 * SECOND);
    assert_eq!(rig.held(), held + 20);
    while rig.device.state() != State::Connecting {
        rig.wait(SECOND / 10);
    }
    let (session, marks) = (rig.session, Some((u32::MAX, u32::MAX)));
    let admit = Admit {
        session,
        marks,
        backfill_delay_millis: 0,
        credit: 1,
        term: klais_burst_sync::Term::default(),
    };
    rig.fire(Event::Frame(Frame::Admit(admit)));
    assert_eq!(rig.device.state(), State::Online);
    rig.wait(20 * SECOND);
    assert!(rig.held() >= 20);
}

/// Sessions that end before an ACK filled the run table, and live readings then waited behind the backlog.
#[test]
fn live_stays_open_however_often_the_session_breaks() {
    let mut rig = Rig::online(config());
    for _ in 0..10 {
        rig.wait(25 * SECOND);
        rig.fire(Event::Refused);
        rig.reconnect(1_000, 3_600_000);
    }
    let live = rig.wait(11 * SECOND);
    assert!(!of(Lane::Live, &live).is_empty());
    assert_eq!(rig.lost, 0);
}

/// Power that blinks between two readings opened a run each time, and the oldest run was given up.
#[test]
fn blinks_of_the_power_lose_nothing() {
    let mut rig = Rig::online(config());
    for _ in 0..10 {
        let next = rig.now / SECOND * SECOND + SECOND + rig.config.schedule.phase(0) % SECOND;
        rig.now = next + 1_000;
        rig.fire(Event::PowerOff);
        rig.now += 1_000;
        rig.fire(Event::PowerOn { boot_micros: 60 * SECOND });
    }
    assert_eq!(rig.lost, 0);
    assert_eq!(rig.held(), rig.config.schedule.taken(rig.config.schedule.phase(0), rig.now));
}

#[test]
fn a_timer_that_comes_early_changes_nothing() {
    let mut rig = Rig::online(config());
    rig.fire(Event::Refused);
    assert_eq!(rig.device.state(), State::Backoff);
    rig.now += 1_000;
    rig.fire(Event::Timer);
    assert_eq!(rig.device.state(), State::Backoff);
}

#[test]
fn indexes_stand_still_at_their_end() {
    let schedule = Schedule::new(1, 1, 1, 1);
    assert_eq!(schedule.taken(0, 10 * DAY), READING_INDEX_MAX);
}

#[test]
fn a_timeout_of_zero_is_refused() {
    let bad = DeviceConfig { hello_timeout_max_micros: 0, ..config() };
    assert_eq!(bad.check(), Err(ConfigError::Zero("hello_timeout_max_micros")));
}

#[test]
fn a_stride_of_zero_counts_as_one() {
    let data = Data {
        session: 1,
        lane: Lane::Live,
        prev: 0,
        first: 5,
        count: 4,
        stride: 0,
        due_millis: 0,
        gap: false,
        round: 0,
        term: klais_burst_sync::TermEcho::default(),
    };
    assert_eq!(data.end(), 9);
}
