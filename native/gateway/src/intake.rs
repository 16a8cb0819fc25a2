//! DATA: what is taken in, and what is turned away.

use crate::drops::Drop;
use crate::entry::MARK_MAX;
use crate::gateway::{CREDIT_SLACK, Gateway};
use crate::transactions::ack;
use crate::{Payload, SinkEntry};
use klais_burst_sync::{Data, Frame, Intake, Lane, Mark, Nack, NackReason, Offer};

/// The part of a DATA frame that is new.
#[derive(Clone, Copy)]
struct News {
    first: Mark,
    count: u16,
    end: Mark,
}

impl<P: Payload> Gateway<P> {
    pub(crate) fn on_data(&mut self, now: u64, device: u32, data: &Data, payload: P) {
        let entry = self.entry(device);
        if !entry.is_online() || entry.session != data.session || data.term != self.term_of(device).echo() {
            self.nack(now, device, data, NackReason::NoSession, 0);
            return;
        }
        if data.end() > MARK_MAX {
            self.count_drop(Drop::BeyondRange);
            return;
        }
        if data.count > 0 {
            self.control.wake();
        }
        let intake = Intake { mark: entry.mark(data.lane), deduplicate: self.config.deduplicate };
        match intake.offer(data) {
            // With frames of the lane undecided the mark is not durable yet: the commit will answer.
            Offer::Known if entry.undecided_on(data.lane) > 0 => {}
            Offer::Known => {
                // A proxy does not know what became of its requests: it says that it is there, and no more.
                let mark = if self.config.deduplicate { entry.mark(data.lane) } else { 0 };
                self.transmit(now, device, ack(data.session, data.lane, mark));
            }
            Offer::Gap if entry.was_nacked(data.lane) => {}
            Offer::Gap => {
                if let Some(entry) = self.entry_mut(device) {
                    entry.set_nacked(data.lane, true);
                }
                self.nack(now, device, data, NackReason::Gap, 0);
            }
            Offer::Append { first, count, end } => {
                let skipped = data.count - count;
                self.append(now, device, data, News { first, count, end }, payload.skip(skipped, data.count));
            }
        }
    }

    fn append(&mut self, now: u64, device: u32, data: &Data, news: News, payload: P) {
        let News { first, count, end } = news;
        let entry = self.entry(device);
        let paced = self.config.slots && data.lane == Lane::Backfill;
        if !entry.may_wait(data.lane) {
            self.count_drop(Drop::DeviceInFlight);
            return;
        }
        let is_full = self.undecided_frames >= self.config.undecided_frames_max;
        if is_full || self.queued_readings + u64::from(count) > self.config.sink_queue_readings {
            self.count_drop(Drop::SinkQueueFull);
            return;
        }
        if paced && entry.credit < count {
            self.end_session(now, device);
            return;
        }
        if paced && !self.has_room_for_backfill(&entry) {
            self.turn_away(now, device, data);
            return;
        }
        if !self.is_let_in(now, device, data, count.into()) {
            return;
        }
        let Some(stored) = self.entry_mut(device) else { return };
        stored.set_mark(data.lane, end);
        stored.set_nacked(data.lane, false);
        stored.await_decision(data.lane);
        if paced {
            stored.spend(count, CREDIT_SLACK as u16);
            if entry.is_promised() {
                self.control.on_slot(true);
            }
            self.called_readings = self.called_readings.saturating_sub(count.into());
            self.dam.backfill_started(self.dam_index(device));
        }
        if data.lane == Lane::Live {
            self.pace.on_live(u64::from(count));
        }
        self.stats.admitted += u64::from(count);
        self.control.on_accepted(data.lane, count.into());
        let (session, lane, stride, due_millis) = (data.session, data.lane, data.stride, data.due_millis);
        let epoch = entry.epoch;
        let entry =
            SinkEntry { device, session, epoch, lane, first, count, stride, end, due_millis, payload };
        self.enqueue(now, entry);
    }

    fn enqueue(&mut self, now: u64, entry: SinkEntry<P>) {
        let one_lane = !self.config.slots;
        let readings = u64::from(entry.count);
        self.undecided_frames += 1;
        self.queued_readings += readings;
        if entry.lane == Lane::Backfill || one_lane {
            self.queued_backfill += readings;
        }
        self.stats.queued_max = self.stats.queued_max.max(self.queued_readings);
        self.shards[(entry.device % self.config.shards) as usize].queue.push(now, entry, one_lane);
    }

    pub(crate) fn nack(&mut self, now: u64, device: u32, data: &Data, reason: NackReason, delay_millis: u32) {
        let mark = self.entry(device).mark(data.lane);
        let (session, lane, round) = (data.session, data.lane, data.round);
        let nack = Nack { session, lane, mark, delay_millis, round, reason };
        self.transmit(now, device, Frame::Nack(nack));
    }
}

/// What DATA hears whose session is not known here.
pub(crate) fn no_session(data: &Data) -> Frame {
    let (session, lane, round) = (data.session, data.lane, data.round);
    Frame::Nack(Nack { session, lane, mark: 0, delay_millis: 0, round, reason: NackReason::NoSession })
}
