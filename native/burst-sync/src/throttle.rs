//! Client-side throttling: Beyer et al., "Site Reliability Engineering", chapter 21, "Handling Overload".
//!
//! Beside the device, for whoever drives it: a device's 80 bytes stay as they are, and a fleet without it pays nothing.

use crate::{Event, Frame};
use klais_units::{draw, scale};

/// The published K: twice as many requests go out as are accepted.
const REQUESTS_PER_ACCEPT: u32 = 2;
/// The published window is two minutes: the present half of it and the one before.
const HALF_MICROS: u64 = 60_000_000;
const PURPOSE_THROTTLE: u64 = 0x7468_7274;

/// What one device has asked for and got. A *request* is a HELLO or a frame of DATA, whether it was let out or not; it is
/// accepted once an ADMIT, a REDIRECT or an ACK answers it. An ACK answers all DATA before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttle {
    requests: [u16; 2],
    accepts: [u16; 2],
    /// Number of the present half.
    half: u16,
    /// Let out, and not answered.
    waiting: u16,
}

impl Throttle {
    /// Asked before a device handles an event: answers count, and what a timer finds unanswered was not accepted.
    pub fn on_event(&mut self, now: u64, event: &Event) {
        self.advance(now);
        match event {
            Event::Timer | Event::PowerOff | Event::Refused => self.waiting = 0,
            Event::Redirected { .. } | Event::Frame(Frame::Admit(_) | Frame::Ack { .. }) => {
                self.accepts[0] = self.accepts[0].saturating_add(self.waiting);
                self.waiting = 0;
            }
            Event::Frame(_) | Event::PowerOn { .. } => {}
        }
    }

    /// Whether a frame that the device sends goes out. It does not with a chance of
    /// `(requests - 2 accepts) / (requests + 1)`, over two minutes. `key` and `entity` choose the draw.
    pub fn lets_out(&mut self, key: u64, entity: u64, now: u64, frame: &Frame) -> bool {
        let is_request = match frame {
            Frame::Hello(_) => true,
            Frame::Data(data) => data.count > 0,
            _ => false,
        };
        if !is_request {
            return true;
        }
        self.advance(now);
        let requests: u32 = self.requests.iter().copied().map(u32::from).sum();
        let accepts: u32 = self.accepts.iter().copied().map(u32::from).sum();
        let excess = requests.saturating_sub(REQUESTS_PER_ACCEPT * accepts);
        let drawn = draw(key, entity, now ^ u64::from(requests) << 48, PURPOSE_THROTTLE);
        let is_let_out = scale(drawn, u64::from(requests) + 1) >= u64::from(excess);
        self.requests[0] = self.requests[0].saturating_add(1);
        self.waiting = self.waiting.saturating_add(u16::from(is_let_out));
        is_let_out
    }

    fn advance(&mut self, now: u64) {
        let half = (now / HALF_MICROS) as u16;
        match half.wrapping_sub(self.half) {
            0 => return,
            1 => {
                self.requests[1] = self.requests[0];
                self.accepts[1] = self.accepts[0];
            }
            _ => (self.requests[1], self.accepts[1]) = (0, 0),
        }
        (self.requests[0], self.accepts[0]) = (0, 0);
        self.half = half;
    }
}
