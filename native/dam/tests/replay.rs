//! Copies of HELLOs: whoever replays what he has overheard gets nothing and moves nobody.

mod common;

use common::{Knock, SECOND, small_dam, state};
use klais_dam::{
    Attempt, Cookie, Dam, DamConfig, DropReason, HelloVerdict, Limit, SESSION_WINDOW_NANOS, SessionMode,
};
use proptest::prelude::*;

const REPLAYED: HelloVerdict = HelloVerdict::Drop(DropReason::Replayed);

/// One session a second, burst 1, and that taken.
fn busy_dam(devices: u32) -> Dam {
    let sessions = Some(Limit::per_second(1, 1));
    let dam = Dam::new(DamConfig { sessions, ..small_dam(devices) }).unwrap();
    assert_eq!(dam.hello(0, 0, attempt(1), None, false), HelloVerdict::Pass);
    dam
}

fn attempt(session: u16) -> Attempt {
    Attempt { epoch: 0, session }
}

#[test]
fn a_copy_does_not_take_the_slot_of_the_device_that_it_is_a_copy_of() {
    let dam = busy_dam(2);
    let HelloVerdict::Defer { delay_nanos, cookie } = dam.hello(0, 1, attempt(7), None, false) else {
        panic!("not deferred");
    };
    let before = (dam.slot_word(1), state(&dam));
    // The thief knocks when the slot has come, before the device.
    let copied = dam.hello(delay_nanos, 1, attempt(7), None, false);
    assert_eq!(copied, HelloVerdict::Defer { delay_nanos: 0, cookie });
    assert_eq!((dam.slot_word(1), state(&dam)), before);
    assert_eq!(dam.hello(delay_nanos, 1, attempt(8), Some(cookie), false), HelloVerdict::Pass);
}

#[test]
fn a_copy_of_what_has_passed_reserves_nothing() {
    let dam = busy_dam(2);
    let HelloVerdict::Defer { delay_nanos, cookie } = dam.hello(0, 1, attempt(7), None, false) else {
        panic!("not deferred");
    };
    assert_eq!(dam.hello(delay_nanos, 1, attempt(8), Some(cookie), false), HelloVerdict::Pass);
    let before = (dam.slot_word(1), state(&dam));
    for now in [delay_nanos, 2 * delay_nanos, delay_nanos + SESSION_WINDOW_NANOS + SECOND] {
        for (session, cookie) in [(8, Some(cookie)), (7, None), (8, None), (1, None)] {
            assert_eq!(dam.hello(now, 1, attempt(session), cookie, false), REPLAYED);
        }
        // Passed without ever having held a slot.
        assert_eq!(dam.hello(now, 0, attempt(1), None, false), REPLAYED);
    }
    assert_eq!((dam.slot_word(1), state(&dam)), before);
}

#[test]
fn a_copy_outlives_neither_its_slot_nor_a_new_epoch() {
    let dam = busy_dam(2);
    let _ = dam.hello(0, 1, attempt(7), None, false);
    let over = 2 * SECOND + SESSION_WINDOW_NANOS;
    assert_eq!(dam.hello(over, 1, attempt(7), None, false), REPLAYED);
    let reborn = Attempt { epoch: 1, session: 2 };
    assert_eq!(dam.hello(over, 1, reborn, None, false), HelloVerdict::Pass);
    assert_eq!(dam.hello(over, 1, attempt(8), None, false), REPLAYED);
}

#[test]
fn a_dam_that_remembers_knows_the_copies_of_the_time_before() {
    let dam = busy_dam(2);
    dam.remember(1, attempt(40));
    assert_eq!(dam.hello(0, 1, attempt(40), None, false), REPLAYED);
    assert_eq!(dam.hello(0, 1, attempt(12), None, false), REPLAYED);
    assert!(matches!(dam.hello(0, 1, attempt(41), None, false), HelloVerdict::Defer { .. }));
    dam.remember(1, attempt(99));
    assert_eq!(dam.last_attempt(1), attempt(41));
    dam.remember(2, attempt(1));
}

#[test]
fn modes_without_slots_do_not_look() {
    let dam = Dam::new(DamConfig { session_mode: SessionMode::Open, ..small_dam(1) }).unwrap();
    assert!((0..3).all(|_| dam.hello(0, 0, attempt(5), None, false) == HelloVerdict::Pass));
}

/// What an honest device of the fleet does at its turn.
#[derive(Clone, Copy, Debug)]
enum Step {
    Device(u32),
    /// The thief sends the n-th frame that he has overheard.
    Replay(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6_u32).prop_map(Step::Device),
        6 => any::<usize>().prop_map(Step::Replay),
        1 => (0..2 * SECOND).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// The same fleet with and without a thief: every honest device gets the very same answers.
    #[test]
    fn replays_change_no_answer_of_an_honest_device(steps in prop::collection::vec(step(), 1..120)) {
        let (quiet, robbed) = (busy_dam(6), busy_dam(6));
        let mut cookies: [Option<Cookie>; 6] = [None; 6];
        let mut sessions = [1_u16; 6];
        let mut overheard: Vec<(u32, Attempt, Option<Cookie>)> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Wait(nanos) => now += nanos,
                Step::Replay(n) if overheard.is_empty() => { let _ = n; }
                Step::Replay(n) => {
                    let (device, attempt, cookie) = overheard[n % overheard.len()];
                    prop_assert_ne!(robbed.hello(now, device, attempt, cookie, false), HelloVerdict::Pass);
                }
                Step::Device(device) => {
                    let n = device as usize;
                    sessions[n] += 1;
                    let (attempt, cookie) = (attempt(sessions[n]), cookies[n]);
                    let expected = quiet.hello(now, device, attempt, cookie, false);
                    prop_assert_eq!(robbed.hello(now, device, attempt, cookie, false), expected);
                    overheard.push((device, attempt, cookie));
                    if let HelloVerdict::Defer { cookie, .. } = expected {
                        cookies[n] = Some(cookie);
                    }
                }
            }
            prop_assert_eq!(state(&quiet), state(&robbed));
        }
    }
}
