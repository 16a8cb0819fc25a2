//! The kernel's half of a gateway: the dam's answer to one frame.
//!
//! Where the BPF program is loaded, it decides in this function's place, word for word the same; user space then calls
//! only [`Gateway::handle`](crate::Gateway::handle).

use crate::Drop;
use crate::gateway::millis;
use klais_burst_sync::{Cookie, Data, Defer, Frame, Hello, Lane};
use klais_dam::{Attempt, Class, Dam, DropReason, HelloVerdict};
use klais_units::NANOS_PER_MICRO;

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingress {
    /// Give it to [`Gateway::handle`](crate::Gateway::handle).
    Accept,
    /// Answer at once; user space never sees it.
    Answer(Frame),
    /// Forget it.
    Drop(Drop),
}

/// Decides a frame that has been authenticated, at `now_nanos`. `slots`: backfill was charged when its slot was reserved.
#[must_use]
pub fn ingress(dam: &Dam, slots: bool, now_nanos: u64, device: u32, frame: &Frame) -> Ingress {
    match frame {
        Frame::Hello(hello) => on_hello(dam, now_nanos, device, hello),
        Frame::Data(data) => on_data(dam, slots, now_nanos, device, data),
        _ => Ingress::Drop(Drop::Misdirected),
    }
}

fn on_hello(dam: &Dam, now_nanos: u64, device: u32, hello: &Hello) -> Ingress {
    let attempt = Attempt { epoch: hello.epoch, session: hello.session };
    let cookie = hello.cookie.map(|c| klais_dam::Cookie { slot: c.slot, mac: c.mac });
    let mut verdict = dam.hello(now_nanos, device, attempt, cookie, false);
    if verdict == HelloVerdict::Drop(DropReason::BadCookie) {
        // A promise under a key that is gone is worth nothing, but its holder is a newcomer like any other: a device shows
        // its cookie until it is answered, and would be shut out for good.
        verdict = dam.hello(now_nanos, device, attempt, None, false);
    }
    match verdict {
        HelloVerdict::Pass => Ingress::Accept,
        HelloVerdict::Defer { delay_nanos, cookie } => {
            let cookie = Cookie { slot: cookie.slot, mac: cookie.mac };
            let delay_millis = millis(delay_nanos / NANOS_PER_MICRO);
            Ingress::Answer(Frame::Defer(Defer { session: hello.session, delay_millis, cookie }))
        }
        HelloVerdict::Drop(reason) => Ingress::Drop(Drop::Dam(reason)),
    }
}

fn on_data(dam: &Dam, slots: bool, now_nanos: u64, device: u32, data: &Data) -> Ingress {
    let admitted = if data.count == 0 {
        dam.knows(device)
    } else {
        let class = match data.lane {
            Lane::Live => Class::Live,
            Lane::Backfill if slots => Class::Reserved,
            Lane::Backfill => Class::Backfill,
        };
        dam.admit(now_nanos, device, class, u32::from(data.count))
    };
    match admitted {
        Ok(()) => Ingress::Accept,
        Err(reason) => Ingress::Drop(Drop::Dam(reason)),
    }
}
