//! Who occurs most, in bounded memory.

use alloc::collections::{BTreeMap, BTreeSet};

/// Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and top-k elements in data streams",
/// ICDT 2005). A newcomer takes the place, and the count, of whoever has the least. What is told is what a key has
/// certainly: its count without what it took over. So whoever fills the table with other keys hides some, and blames none.
pub(crate) struct Heavy<K> {
    most: usize,
    counts: BTreeMap<K, (u32, u32)>,
    order: BTreeSet<(u32, K)>,
}

impl<K: Ord + Copy> Heavy<K> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, counts: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Counts one more: how many there are for certain.
    pub(crate) fn add(&mut self, key: K) -> u32 {
        let (count, taken_over) = match self.counts.get(&key) {
            Some((count, taken_over)) => {
                self.order.remove(&(*count, key));
                (count.saturating_add(1), *taken_over)
            }
            None if self.counts.len() < self.most => (1, 0),
            None => {
                let least = self.order.pop_first();
                if let Some((_, gone)) = &least {
                    self.counts.remove(gone);
                }
                let least = least.map_or(0, |(count, _)| count);
                (least.saturating_add(1), least)
            }
        };
        self.counts.insert(key, (count, taken_over));
        self.order.insert((count, key));
        count - taken_over
    }

    /// How many there are of a key for certain.
    pub(crate) fn count(&self, key: K) -> u32 {
        self.counts.get(&key).map_or(0, |(count, taken_over)| count - taken_over)
    }

    pub(crate) fn clear(&mut self) {
        self.counts.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_never_too_high() {
        let mut heavy = Heavy::new(16);
        let mut truth = BTreeMap::new();
        for n in 0_u64..20_000 {
            let random = klais_units::draw(1, n, 0, 0);
            let key = if random.is_multiple_of(4) { 7 } else { random % 5_000 };
            *truth.entry(key).or_insert(0) += 1;
            assert!(heavy.add(key) <= truth[&key]);
        }
        assert!(heavy.count(7) > 4_000, "one in four is found: {}", heavy.count(7));
        assert!(heavy.counts.len() <= 16 && heavy.order.len() <= 16);
    }
}
