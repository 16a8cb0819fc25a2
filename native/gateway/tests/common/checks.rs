//! What must hold of the world, at every moment and at its end.

use super::world::World;
use klais_burst_sync::{Event, Frame, Lane, State};
use klais_gateway::Submission;

impl World {
    pub(super) fn check_submission(&self, submission: &Submission) {
        let config = &self.plan.gateway;
        let entries = &submission.entries;
        let readings: u64 = entries.iter().map(|e| u64::from(e.count)).sum();
        let last = entries.last().map_or(0, |e| u64::from(e.count));
        assert!(readings - last < config.batch_readings_max, "{readings} readings in one transaction");
        assert!(entries.iter().all(|e| e.device % config.shards == submission.shard), "{submission:?}");
        if config.slots {
            let lanes: Vec<u8> = entries.iter().map(|e| e.lane as u8).collect();
            assert!(lanes.is_sorted(), "backfill before live: {entries:?}");
        }
    }

    /// What a device believes of its gateway must be so.
    pub(super) fn check_heard(&mut self, id: u32, event: &Event) {
        let device = &self.devices[id as usize];
        let (state, session, term) = (device.state(), device.session(), device.term());
        match event {
            Event::Frame(Frame::Ack { session: of, lane, mark })
                if state == State::Online && *of == session =>
            {
                self.acks += 1;
                let committed = self.log.mark(id, *lane);
                assert!(*mark <= committed, "{event:?} to {id}, committed {committed}");
            }
            Event::Frame(Frame::Admit(admit))
                if state == State::Connecting && admit.session == session && admit.term >= term =>
            {
                self.admits += 1;
                let marks = admit.marks.expect("a gateway that keeps marks");
                // Of a new epoch nothing is stored.
                let committed = |lane| self.log.mark(id, lane);
                let known = [(0, 0), (committed(Lane::Live), committed(Lane::Backfill))];
                assert!(known.contains(&marks), "{admit:?} to {id}, committed {known:?}");
            }
            _ => {}
        }
    }

    pub(super) fn check_bounds(&self, n: u32) {
        let config = &self.plan.gateway;
        let frame = u64::from(self.plan.device.frame_readings);
        // What failed transactions give back comes on top of what may wait.
        let back = u64::from(config.shards) * (config.batch_readings_max + frame);
        let stats = self.processes[n as usize].gateway.stats();
        assert!(stats.queued <= config.sink_queue_readings + back, "{} readings wait", stats.queued);
        assert!(stats.queued_max <= config.sink_queue_readings);
    }

    pub(super) fn settle(&mut self) {
        let plan = self.plan.clone();
        for id in 0..plan.devices {
            let n = id as usize;
            let taken = plan.device.schedule.taken(plan.device.schedule.phase(id), plan.end);
            self.stop_sensing(id, taken);
            let (held, lost) = self.devices[n].settle(&plan.device, id, plan.end);
            let (stored, lost) = (self.log.count(id), self.lost[n] + u64::from(lost));
            let produced = self.produced[n];
            let account = format!("device {id}: took {produced}, stored {stored}, holds {held}, lost {lost}");
            assert!(stored <= produced, "{account}");
            assert!(stored + u64::from(held) + lost >= produced, "{account}");
            // All is quiet: what is held was taken since the last report.
            let per_report = plan.device.schedule.report_micros / plan.device.schedule.reading_micros;
            assert!(
                u64::from(held) <= per_report + 2,
                "{account} {:?} {:?}",
                self.devices[n],
                self.processes.iter().map(|p| (p.pulse, p.gateway.stats())).collect::<Vec<_>>()
            );
            if lost == 0 {
                assert!(stored + u64::from(held) <= produced + per_report + 2, "{account}");
            }
        }
    }
}
