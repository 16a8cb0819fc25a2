//! A device that is sent elsewhere waits as told, and keeps what it was promised.

#[path = "common/one_device.rs"]
mod one_device;

use klais_burst_sync::{
    Admit, Cookie, Defer, Device, DeviceConfig, Event, Frame, Hello, Note, Outbox, State, Term,
};
use one_device::{SECOND, config};

const COOKIE: Cookie = Cookie { slot: 9, mac: 77 };

#[derive(Default)]
struct Hellos(Vec<Hello>);

impl Outbox for Hellos {
    fn send(&mut self, frame: Frame) {
        if let Frame::Hello(hello) = frame {
            self.0.push(hello);
        }
    }

    fn note(&mut self, _: Note) {}
}

/// Hands the device an event at `now`: the HELLO that it sent.
fn fire(device: &mut Device, now: u64, event: Event) -> Option<Hello> {
    let mut out = Hellos::default();
    let config = DeviceConfig { gateways: 3, ..config() };
    device.handle(&config, 0, now, event, &mut out);
    out.0.pop()
}

fn redirect(session: u16, delay_millis: u32) -> Event {
    Event::Redirected { session, gateway: 2, delay_millis }
}

/// A device that has just said HELLO: its time and its HELLO.
fn connecting() -> (Device, u64, Hello) {
    let mut device = Device::off();
    fire(&mut device, 0, Event::PowerOn { boot_micros: SECOND });
    let now = device.deadline();
    let hello = fire(&mut device, now, Event::Timer).expect("a HELLO after booting");
    (device, now, hello)
}

#[test]
fn it_waits_as_told_and_asks_again() {
    let (mut device, now, hello) = connecting();
    assert_eq!(fire(&mut device, now, redirect(hello.session, 7_000)), None);
    assert_eq!((device.state(), device.deadline()), (State::Deferred, now + 7 * SECOND));
    let again = fire(&mut device, now + 7 * SECOND, Event::Timer).expect("a HELLO after the delay");
    assert_eq!((again.session, again.cookie, device.gateway()), (hello.session + 1, None, 2));
}

#[test]
fn it_keeps_its_cookie() {
    let (mut device, now, hello) = connecting();
    let defer = Defer { session: hello.session, delay_millis: 2_000, cookie: COOKIE };
    fire(&mut device, now, Event::Frame(Frame::Defer(defer)));
    let now = now + 2 * SECOND;
    let shown = fire(&mut device, now, Event::Timer).expect("a HELLO at its slot");
    fire(&mut device, now, redirect(shown.session, 0));
    let now = device.deadline();
    let elsewhere = fire(&mut device, now, Event::Timer).expect("a HELLO to the other gateway");
    assert_eq!((shown.cookie, elsewhere.cookie), (Some(COOKIE), Some(COOKIE)));
}

#[test]
fn an_old_one_and_one_in_session_are_not_heard() {
    let (mut device, now, hello) = connecting();
    fire(&mut device, now, redirect(hello.session.wrapping_sub(1), 7_000));
    assert_eq!(device.state(), State::Connecting);
    let mut online = Device::online(&config(), 0);
    let before = format!("{online:?}");
    fire(&mut online, SECOND / 2, redirect(1, 7_000));
    assert_eq!(format!("{online:?}"), before);
}

#[test]
fn it_goes_nowhere_that_is_not_on_its_list() {
    let (mut device, now, hello) = connecting();
    fire(&mut device, now, Event::Redirected { session: hello.session, gateway: 3, delay_millis: 7_000 });
    assert_eq!((device.state(), device.gateway()), (State::Connecting, 0));
    // Nor by a frame alone: an address says nothing until it is found on the list.
    let redirect = Frame::Redirect { session: hello.session, delay_millis: 0, address: [0xfd; 16], port: 2 };
    fire(&mut device, now, Event::Frame(redirect));
    assert_eq!((device.state(), device.gateway()), (State::Connecting, 0));
}

#[test]
fn after_two_hellos_without_an_answer_it_tries_the_next_gateway_and_so_around_the_list() {
    let (mut device, _, _) = connecting();
    let mut asked = vec![device.gateway()];
    let mut refused = false;
    while asked.len() < 9 {
        let (now, connecting) = (device.deadline(), device.state() == State::Connecting);
        refused = !refused;
        // Silence and a refusal are the same to it.
        let event = if connecting && refused { Event::Refused } else { Event::Timer };
        if fire(&mut device, now, event).is_some() {
            asked.push(device.gateway());
        }
    }
    assert_eq!(asked, [0, 0, 1, 1, 2, 2, 0, 0, 1]);
    // An answer, even to wait, and it stays.
    let hello = Defer { session: device.session(), delay_millis: 1_000, cookie: COOKIE };
    let now = device.deadline() - 1;
    fire(&mut device, now, Event::Frame(Frame::Defer(hello)));
    let now = device.deadline();
    fire(&mut device, now, Event::Timer);
    let now = device.deadline();
    fire(&mut device, now, Event::Timer);
    let now = device.deadline();
    fire(&mut device, now, Event::Timer);
    assert_eq!(device.gateway(), 1);
}

#[test]
fn it_believes_no_admit_of_an_owner_before_the_one_it_has_heard_of() {
    let (mut device, now, hello) = connecting();
    let admit = |session, term| {
        let marks = Some((0, 0));
        let term = Term::new(term);
        Event::Frame(Frame::Admit(Admit { session, marks, backfill_delay_millis: 0, credit: 9, term }))
    };
    fire(&mut device, now, admit(hello.session, 4));
    assert_eq!((device.state(), device.term()), (State::Online, Term::new(4)));
    fire(&mut device, now, Event::Refused);
    let now = device.deadline();
    let hello = fire(&mut device, now, Event::Timer).expect("a HELLO after the backoff");
    fire(&mut device, now, admit(hello.session, 3));
    assert_eq!(device.state(), State::Connecting);
    fire(&mut device, now, admit(hello.session, 5));
    assert_eq!((device.state(), device.term()), (State::Online, Term::new(5)));
}
