//! What the floods say, as figures.

use super::{Contender, Cost, Size};
use crate::record::{Record, least};

const DAMS: [Contender; 4] =
    [Contender::DamDevice, Contender::DamGlobal, Contender::DamBlocked, Contender::DamPrefix];
/// Who the dam is held against, and the most of their cost that it may have.
const PEERS: [(Contender, Option<f64>); 3] = [
    (Contender::NftAll, Some(1.0 / 3.0)),
    (Contender::NftEach, None),
    (Contender::Recvmmsg, Some(1.0 / 8.0)),
];

/// Whole journeys first, then what each costs above the bare one, then the dam over its peers.
pub fn records(costs: &[Vec<Cost>], size: &Size) -> Vec<Record> {
    let journeys = Contender::ALL.iter().map(|contender| journey(*contender, &costs[*contender as usize]));
    let above = DAMS.into_iter().chain(PEERS.map(|(peer, _)| peer)).map(|contender| {
        let samples = above(costs, contender, Contender::Bare);
        Record::nanos(format!("above bare: {}", contender.name()), samples)
    });
    let ratios = DAMS.into_iter().flat_map(|dam| {
        PEERS.into_iter().map(move |(peer, wanted)| {
            let ratio = ratio(costs, dam, peer, Contender::Bare);
            wanted.filter(|_| size.is_judged).map_or(ratio.clone(), |wanted| ratio.wanting(wanted))
        })
    });
    // The other way to see it: the journey itself counts as the program's.
    let whole = [Contender::DamDevice, Contender::DamGlobal]
        .into_iter()
        .flat_map(|dam| PEERS.into_iter().map(move |(peer, _)| ratio(costs, dam, peer, Contender::Alone)));
    let all = journeys.chain(above).chain(ratios).chain(whole);
    all.map(|record| record.with("framesPerSample", size.frames).with("devices", size.devices)).collect()
}

fn journey(contender: Contender, costs: &[Cost]) -> Record {
    let mean = |field: fn(&Cost) -> f64| costs.iter().map(field).sum::<f64>() / costs.len() as f64;
    Record::nanos(contender.name(), costs.iter().map(|cost| cost.nanos).collect())
        .with("machineBusyNanos", format!("{:.0}", mean(|cost| cost.machine)))
        .with("senderNanos", format!("{:.1}", mean(|cost| cost.sender)))
        .with("receivedShare", format!("{:.5}", mean(|cost| cost.received)))
        .with("endedShare", format!("{:.5}", mean(|cost| cost.ended)))
        .with("time", "CPU time of sender, softirqs and receiver")
}

/// Round by round, what a contender costs more than another, whose best round counts: a disturbance of that one must not
/// make the contender look cheap, nor its share of another's cost small.
fn above(costs: &[Vec<Cost>], contender: Contender, base: Contender) -> Vec<f64> {
    let nanos = |contender: Contender| costs[contender as usize].iter().map(|cost| cost.nanos);
    let base = least(&nanos(base).collect::<Vec<_>>());
    nanos(contender).map(|nanos| nanos - base).collect()
}

fn ratio(costs: &[Vec<Cost>], dam: Contender, peer: Contender, base: Contender) -> Record {
    let (ours, theirs) = (above(costs, dam, base), above(costs, peer, base));
    let samples = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    let base = if base == Contender::Bare { "bare" } else { "the sender alone" };
    Record::ratio(format!("above {base}: {} / {}", dam.name(), peer.name()), samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(is_judged: bool) -> Size {
        Size { is_judged, ..Size::QUICK }
    }

    /// Two rounds, the second twice as slow.
    fn costs() -> Vec<Vec<Cost>> {
        let of = |nanos: f64| Cost { nanos, sender: nanos, machine: nanos, received: 1.0, ended: 1.0 };
        let nanos = [50.0, 80.0, 140.0, 180.0, 160.0, 150.0, 150.0, 540.0, 940.0, 1_140.0];
        nanos.iter().map(|nanos| vec![of(*nanos), of(nanos * 2.0)]).collect()
    }

    fn named(records: &[Record], name: &str) -> Record {
        records.iter().find(|record| record.name == name).expect(name).clone()
    }

    #[test]
    fn ratios_are_of_what_lies_above_the_best_base() {
        let all = records(&costs(), &size(true));
        let nft = "dam, dropped by the device's bucket / nftables ingress, one rate limit";
        let judged = named(&all, &format!("above bare: {nft}"));
        assert_eq!(judged.samples, [0.1, 220.0 / 940.0]);
        assert_eq!((judged.unit, judged.wanted), ("ratio", Some(1.0 / 3.0)));
        let whole = named(&all, &format!("above the sender alone: {nft}"));
        assert_eq!(whole.samples, [130.0 / 490.0, 310.0 / 1_030.0]);
        assert_eq!(whole.wanted, None);
        assert_eq!(named(&all, "above bare: recvmmsg and discard").samples, [1_000.0, 2_140.0]);
    }

    #[test]
    fn small_sizes_are_not_judged() {
        assert!(records(&costs(), &size(true)).iter().any(|record| record.wanted.is_some()));
        assert!(records(&costs(), &size(false)).iter().all(|record| record.wanted.is_none()));
    }
}
