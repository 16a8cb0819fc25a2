//! What the fleet counts while it runs.

use klais_burst_sync::{Frame, Lane};
use serde::Serialize;

/// Counters that only rise. Frames unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// That the kernel took.
    pub frames_sent: u64,
    /// Whose sender and receiver are right.
    pub frames_received: u64,
    /// HELLOs that devices sent.
    pub hellos: u64,
    /// HELLOs of them with a cookie.
    pub cookies: u64,
    /// Live DATA.
    pub live_frames: u64,
    /// Backfill DATA.
    pub backfill_frames: u64,
    /// Readings in DATA, every copy.
    pub readings_sent: u64,
    /// DATA without readings.
    pub keep_alives: u64,
    /// Received.
    pub admits: u64,
    /// Received.
    pub defers: u64,
    /// Received.
    pub redirects: u64,
    /// Received.
    pub acks: u64,
    /// Received.
    pub nacks: u64,
    /// Received.
    pub byes: u64,
    /// Frames that came back, as nobody listened.
    pub refusals: u64,
    /// Sessions set up.
    pub connects: u64,
    /// Readings that left a device's buffer because a gateway has them.
    pub acked: i64,
    /// Readings.
    pub lost_overflow: u64,
    /// Readings.
    pub lost_volatile: u64,
    /// Transitions to where a device stood already.
    pub idle_transitions: u64,
}

impl Counts {
    /// Counts a frame that a device has decided to send.
    pub fn decided(&mut self, frame: &Frame) {
        match frame {
            Frame::Hello(hello) => {
                self.hellos += 1;
                self.cookies += u64::from(hello.cookie.is_some());
            }
            Frame::Data(data) => {
                self.readings_sent += u64::from(data.count);
                match (data.count, data.lane) {
                    (0, _) => self.keep_alives += 1,
                    (_, Lane::Live) => self.live_frames += 1,
                    (_, Lane::Backfill) => self.backfill_frames += 1,
                }
            }
            _ => {}
        }
    }

    /// Counts a frame that a device has received.
    pub fn received(&mut self, frame: &Frame) {
        self.frames_received += 1;
        match frame {
            Frame::Admit(_) => self.admits += 1,
            Frame::Defer(_) => self.defers += 1,
            Frame::Redirect { .. } => self.redirects += 1,
            Frame::Ack { .. } => self.acks += 1,
            Frame::Nack(_) => self.nacks += 1,
            Frame::Bye { .. } => self.byes += 1,
            Frame::Hello(_) | Frame::Data(_) => {}
        }
    }
}
