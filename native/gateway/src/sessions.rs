//! Sessions: which HELLO is answered, with what.

use crate::drops::Drop;
use crate::gateway::{CREDIT_SLACK, Gateway, millis};
use crate::{GatewayAddress, Payload, SinkEntry};
use klais_burst_sync::{Admit, Frame, Hello, Lane};
use std::collections::btree_map::Entry as MapEntry;

impl<P: Payload> Gateway<P> {
    pub(crate) fn on_hello(&mut self, now: u64, device: u32, hello: Hello) {
        let entry = self.entry(device);
        let older = |x: u16, than: u16| entry.is_known() && x.wrapping_sub(than) >= 1 << 15;
        if self.config.deduplicate && older(hello.epoch, entry.epoch) {
            self.count_drop(Drop::StaleEpoch);
        } else if hello.epoch == entry.epoch && older(hello.session, entry.session) {
            // A late copy: granting it would let the old session's late DATA be stored a second time.
            self.count_drop(Drop::StaleSession);
        } else if entry.is_online() && entry.session == hello.session && hello.epoch == entry.epoch {
            self.admit_again(now, device, hello);
        } else if self.config.deduplicate && entry.undecided() > 0 {
            self.hold_hello(device, hello);
        } else {
            self.admit(now, device, hello);
        }
    }

    /// One HELLO per device waits, the newest: until nothing of the device is undecided, or until its shard is served.
    pub(crate) fn hold_hello(&mut self, device: u32, hello: Hello) {
        let is_room = self.pending_hellos.len() < self.config.pending_hellos_max;
        match self.pending_hellos.entry(device) {
            MapEntry::Occupied(mut waiting) => {
                if hello.session.wrapping_sub(waiting.get().session) < 1 << 15 {
                    waiting.insert(hello);
                }
            }
            MapEntry::Vacant(place) if is_room => {
                place.insert(hello);
            }
            MapEntry::Vacant(_) => self.count_drop(Drop::PendingHellos),
        }
    }

    /// Answers the HELLOs of those devices whose last readings have just been decided.
    pub(crate) fn answer_pending_hellos(&mut self, now: u64, decided: &[SinkEntry<P>]) {
        for SinkEntry { device, .. } in decided {
            if let Some(hello) = self.pending_hellos.remove(device) {
                self.on_hello(now, *device, hello);
            }
        }
    }

    /// The newest attempt of a device at a session that is known here, admitted or waiting: epoch and session.
    #[must_use]
    pub fn newest_attempt(&self, device: u32) -> Option<(u16, u16)> {
        let waiting = self.pending_hellos.get(&device).map(|hello| (hello.epoch, hello.session));
        let entry = self.entry(device);
        waiting.or_else(|| entry.is_known().then_some((entry.epoch, entry.session)))
    }

    /// Answers the HELLOs that have waited for their shard.
    pub(crate) fn answer_held_hellos(&mut self, now: u64, shard: u32) {
        let shards = self.config.shards;
        let waiting = self.pending_hellos.extract_if(.., |device, _| device % shards == shard);
        for (device, hello) in waiting.collect::<Vec<_>>() {
            self.on_hello(now, device, hello);
        }
    }

    /// Where a HELLO is to go that belongs to another gateway.
    pub(crate) fn redirect(&self, hello: &Hello, owner: u32) -> Frame {
        let by_number = GatewayAddress { address: [0; 16], port: owner as u16 };
        let place = self.config.addresses.get(owner as usize).copied().unwrap_or(by_number);
        let GatewayAddress { address, port } = place;
        Frame::Redirect { session: hello.session, delay_millis: 0, address, port }
    }

    fn admit(&mut self, now: u64, device: u32, hello: Hello) {
        let deduplicate = self.config.deduplicate;
        let term = self.term_of(device);
        self.prove(now, device % self.config.shards);
        let Some(entry) = self.entry_mut(device) else { return };
        let is_newcomer = !entry.is_online();
        if !deduplicate {
            entry.set_mark(Lane::Live, hello.acked.0);
            entry.set_mark(Lane::Backfill, hello.acked.1);
        } else if hello.epoch != entry.epoch {
            entry.set_mark(Lane::Live, 0);
            entry.set_mark(Lane::Backfill, 0);
        }
        entry.begin_session(hello.session, hello.epoch);
        let marks = deduplicate.then(|| (entry.mark(Lane::Live), entry.mark(Lane::Backfill)));
        self.stats.online += u64::from(is_newcomer);
        self.control.wake();
        let (delay_micros, credit) = self.reserve(now, device, self.believed(&hello));
        if let Some(entry) = self.entry_mut(device) {
            entry.credit = credit;
        }
        let backfill_delay_millis = millis(delay_micros);
        let admit = Admit { session: hello.session, marks, backfill_delay_millis, credit, term };
        self.transmit(now, device, Frame::Admit(admit));
    }

    /// A device that has sent more than its credit counts otherwise, as one that has thinned out its ring in between: only
    /// a new HELLO can settle that. Were it not told, it would send the same again and again.
    pub(crate) fn end_session(&mut self, now: u64, device: u32) {
        self.count_drop(Drop::NoCredit);
        let Some(entry) = self.entry_mut(device) else { return };
        let session = entry.session;
        entry.end_session();
        self.stats.online -= 1;
        self.transmit(now, device, Frame::Bye { session });
    }

    /// A second copy of the HELLO that opened this session: the same answer, nothing reserved twice.
    fn admit_again(&mut self, now: u64, device: u32, hello: Hello) {
        let (entry, term) = (self.entry(device), self.term_of(device));
        let marks = self.config.deduplicate.then(|| (entry.mark(Lane::Live), entry.mark(Lane::Backfill)));
        let begun = u32::from(entry.credit) != self.believed(&hello) + CREDIT_SLACK;
        let delay = if begun { 0 } else { self.reserve(now, device, self.believed(&hello)).0 };
        let backfill_delay_millis = millis(delay);
        let admit =
            Admit { session: hello.session, marks, backfill_delay_millis, credit: entry.credit, term };
        self.transmit(now, device, Frame::Admit(admit));
    }
}
