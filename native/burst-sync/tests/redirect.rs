//! A device that is sent elsewhere waits as told, and keeps what it was promised.

#[path = "common/one_device.rs"]
mod one_device;

use klais_burst_sync::{Cookie, Defer, Device, Event, Frame, Hello, Note, Outbox, State};
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
    device.handle(&config(), 0, now, event, &mut out);
    out.0.pop()
}

fn redirect(session: u16, delay_millis: u32) -> Event {
    let address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 77, 0, 2];
    Event::Frame(Frame::Redirect { session, delay_millis, address, port: 7_447 })
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
    assert_eq!((again.session, again.cookie), (hello.session + 1, None));
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
