//! The marks that a transaction leaves: the last of every device and lane in it.

use crate::types::{Checkpoint, Entry};

/// One checkpoint a device and lane, ascending. Entries are in order: the last one says, whatever the numbers, which
/// may have wrapped.
pub(crate) fn last<P>(entries: &[Entry<P>]) -> Vec<Checkpoint> {
    let mut marks: Vec<Checkpoint> = entries.iter().map(checkpoint).collect();
    // Stable, and then backwards: of equals, the one that came last stays.
    marks.sort_by_key(|mark| (mark.device, mark.lane as u8));
    marks.reverse();
    marks.dedup_by_key(|mark| (mark.device, mark.lane as u8));
    marks.reverse();
    marks
}

fn checkpoint<P>(entry: &Entry<P>) -> Checkpoint {
    let Entry { device, lane, epoch, session, end, .. } = *entry;
    Checkpoint { device, lane, epoch, session, mark: end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klais_burst_sync::Lane;

    fn entry(device: u32, lane: Lane, end: u32) -> Entry<()> {
        let (epoch, session, first, count, stride) = (1, 1, 0, 1, 1);
        let (event_millis, event_step_millis, payload) = (0, 0, ());
        Entry {
            device,
            epoch,
            session,
            lane,
            first,
            count,
            stride,
            end,
            event_millis,
            event_step_millis,
            payload,
        }
    }

    #[test]
    fn the_last_entry_of_a_lane_counts() {
        let entries = [
            entry(7, Lane::Live, u32::MAX),
            entry(3, Lane::Backfill, 5),
            entry(7, Lane::Backfill, 9),
            entry(7, Lane::Live, 2),
        ];
        let marks: Vec<_> = last(&entries).iter().map(|mark| (mark.device, mark.lane, mark.mark)).collect();
        assert_eq!(marks, [(3, Lane::Backfill, 5), (7, Lane::Live, 2), (7, Lane::Backfill, 9)]);
        assert!(last::<()>(&[]).is_empty());
    }
}
