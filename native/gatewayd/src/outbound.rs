//! Requests to the sink and what it says, frames to devices.

use crate::clock::monotonic_nanos;
use crate::daemon::Daemon;
use crate::sink::SinkEvent;
use klais_burst_sync::Frame;
use klais_burst_sync::wire;
use klais_gateway::{Outcome, SinkRequest};
use std::net::SocketAddr;
use tracing::{info, warn};

impl Daemon {
    /// Does what is due: commits, outcomes, answers. Sends everything that waits to be sent: how many frames.
    pub(crate) fn advance(&mut self) -> usize {
        let now = self.clock.micros(monotonic_nanos());
        self.gateway.poll(now);
        // A commit may be decided at once, and make room for the next.
        loop {
            for request in self.gateway.take_sink_requests() {
                match request {
                    SinkRequest::Open { shard, .. } => self.sink.open(now, shard),
                    SinkRequest::Close { shard, .. } => self.sink.close(shard),
                    SinkRequest::Store(submission) => self.sink.submit(now, submission),
                }
            }
            match self.sink.event(now) {
                Some(SinkEvent::Opened { shard, term, checkpoints }) => {
                    info!(shard, ?term, checkpoints = checkpoints.len(), "a shard is opened");
                    self.gateway.opened(now, shard, term, checkpoints);
                }
                Some(SinkEvent::OpenFailed { shard }) => {
                    warn!(shard, "a shard cannot be opened: it is tried again");
                    self.gateway.open_failed(now, shard);
                }
                Some(SinkEvent::Decided { batch, outcome }) => {
                    if outcome != Outcome::Committed {
                        warn!(batch, ?outcome, "a transaction is not committed");
                    }
                    self.gateway.sink_outcome(now, batch, outcome);
                }
                None => break,
            }
        }
        self.transmit()
    }

    /// Answers the sender of a frame, wherever it is, at the end of this batch.
    pub(crate) fn answer_to(&mut self, device: u32, to: SocketAddr, key_epoch: u8, frame: &Frame) {
        self.push(device, to, key_epoch, frame, None);
    }

    fn transmit(&mut self) -> usize {
        let mut transmits = std::mem::take(&mut self.transmits);
        transmits.extend(self.gateway.take_transmits());
        let mut frames = self.sender.len();
        for transmit in transmits.drain(..) {
            let device = transmit.device;
            let since = match &transmit.frame {
                Frame::Ack { lane, .. } => self.turnaround.take(device, *lane),
                Frame::Admit(_) | Frame::Bye { .. } => {
                    self.turnaround.forget(device);
                    None
                }
                _ => None,
            };
            let Some(to) = self.addresses.get(device) else {
                self.tallies.no_address += 1;
                continue;
            };
            self.push(device, to.address, to.key_epoch, &transmit.frame, since);
            frames += 1;
        }
        self.transmits = transmits;
        self.flush();
        frames
    }

    fn push(&mut self, device: u32, to: SocketAddr, key_epoch: u8, frame: &Frame, since: Option<u64>) {
        let Some(key) = self.keys.device_key(device, key_epoch) else {
            self.tallies.no_key += 1;
            return;
        };
        if self.sender.is_full() {
            self.flush();
        }
        let written =
            self.sender.push(to, since, |out| wire::encode(frame, device, key_epoch, &key, &[], out));
        // The gateway makes no frame that cannot be encoded.
        debug_assert!(written.is_ok(), "{written:?}");
    }

    fn flush(&mut self) {
        let turnaround = &mut self.turnaround;
        self.sender.flush(&self.socket, |sent| {
            let mut now = None;
            for since in sent.iter().flatten() {
                turnaround.record(*since, *now.get_or_insert_with(monotonic_nanos));
            }
        });
    }
}
