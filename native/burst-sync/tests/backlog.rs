//! `Backlog` against a model that writes every reading down.

use klais_burst_sync::{Backlog, Overflow, READING_INDEX_MAX, Range};
use proptest::prelude::*;

const RUNS_MAX: usize = 3;
const STRIDE_MAX: u32 = 1 << 15;

#[derive(Clone, Debug)]
struct Run {
    items: Vec<u32>,
    /// Next place on the run's grid that an open run would take.
    from: u32,
    stride: u32,
    /// End of a closed run.
    to: Option<u32>,
}

impl Run {
    fn grow(&mut self, taken: u32) {
        let next = self.items.last().map_or(self.from, |last| last + self.stride);
        self.items.extend((next..taken).step_by(self.stride as usize));
    }

    fn forget_first(&mut self, n: usize) {
        self.from += n as u32 * self.stride;
        self.items.drain(..n);
    }
}

#[derive(Clone, Debug, Default)]
struct Model {
    runs: Vec<Run>,
    taken: u32,
}

impl Model {
    fn count(&self) -> u32 {
        self.runs.iter().map(|r| r.items.len() as u32).sum()
    }

    fn is_open(&self) -> bool {
        self.runs.iter().any(|r| r.to.is_none())
    }

    fn end(&self) -> u32 {
        self.runs.last().and_then(|r| r.to).unwrap_or(0)
    }

    fn advance(&mut self, n: u32) {
        self.taken += n;
        let taken = self.taken;
        self.runs.iter_mut().filter(|r| r.to.is_none()).for_each(|r| r.grow(taken));
    }

    fn open(&mut self, from: u32) -> u32 {
        let mut lost = 0;
        if self.runs.len() == RUNS_MAX {
            let smallest = (0..RUNS_MAX).min_by_key(|n| self.runs[*n].items.len()).unwrap();
            lost = self.runs.remove(smallest).items.len() as u32;
        }
        self.runs.push(Run { items: (from..self.taken).collect(), from, stride: 1, to: None });
        lost
    }

    fn reopen(&mut self, from: u32) -> bool {
        let Some(last) = self.runs.last_mut().filter(|r| r.to == Some(from) && r.stride == 1) else {
            return false;
        };
        last.to = None;
        last.grow(self.taken);
        true
    }

    fn close(&mut self) {
        let taken = self.taken;
        self.runs.iter_mut().filter(|r| r.to.is_none()).for_each(|r| r.to = Some(taken));
        self.compact();
    }

    fn merge(&mut self) {
        for n in (1..self.runs.len()).rev() {
            let touch = self.runs[n - 1].to == Some(self.runs[n].from);
            if touch && self.runs[n - 1].stride == 1 && self.runs[n].stride == 1 {
                let after = self.runs.remove(n);
                self.runs[n - 1].items.extend(after.items);
                self.runs[n - 1].to = after.to;
            }
        }
    }

    fn trim(&mut self, from: u32, mark: u32) {
        for run in self.runs.iter_mut().filter(|r| r.from >= from && r.from < mark) {
            let below = run.items.iter().filter(|i| **i < mark).count();
            run.forget_first(below);
        }
        self.compact();
    }

    fn fit(&mut self, capacity: u32, overflow: Overflow) -> u32 {
        let before = self.count();
        if overflow == Overflow::Decimate {
            self.decimate(capacity);
        }
        let mut excess = self.count().saturating_sub(capacity) as usize;
        if overflow == Overflow::DropNewest {
            for run in self.runs.iter_mut().rev().filter(|r| r.to.is_some()) {
                let gone = excess.min(run.items.len());
                run.items.truncate(run.items.len() - gone);
                if before > capacity {
                    run.to = Some(run.from + run.items.len() as u32 * run.stride);
                }
                excess -= gone;
            }
        } else {
            for run in &mut self.runs {
                let gone = excess.min(run.items.len());
                run.forget_first(gone);
                excess -= gone;
            }
        }
        self.compact();
        before - self.count()
    }

    fn decimate(&mut self, capacity: u32) {
        while self.count() > capacity {
            let finest = self.runs.iter_mut().filter(|r| r.items.len() > 1).max_by_key(|r| r.items.len());
            let Some(run) = finest.filter(|r| r.stride < STRIDE_MAX) else { return };
            run.stride *= 2;
            run.items = run.items.iter().step_by(2).copied().collect();
        }
    }

    fn next(&self, position: u32, max: u32) -> Option<Range> {
        self.runs.iter().find_map(|run| {
            let left: Vec<u32> = run.items.iter().copied().filter(|i| *i >= position).collect();
            let count = (left.len() as u32).min(max);
            left.first().map(|first| Range { first: *first, count, stride: run.stride })
        })
    }

    fn compact(&mut self) {
        self.runs.retain(|r| r.to.is_none() || !r.items.is_empty());
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Advance(u32),
    Open(u32),
    Reopen,
    Close,
    Merge,
    Clear,
    Trim(u32, u32),
    Fit(u32, Overflow),
}

fn op() -> impl Strategy<Value = Op> {
    let overflow =
        prop_oneof![Just(Overflow::DropOldest), Just(Overflow::DropNewest), Just(Overflow::Decimate)];
    prop_oneof![
        4 => (0u32..40).prop_map(Op::Advance),
        4 => (0u32..12).prop_map(Op::Open),
        3 => Just(Op::Close),
        1 => Just(Op::Reopen),
        1 => Just(Op::Merge),
        1 => prop_oneof![9 => Just(Op::Merge), 1 => Just(Op::Clear)],
        3 => (0u32..100, 0u32..=100).prop_map(|(from, mark)| Op::Trim(from, mark)),
        3 => (0u32..60, overflow).prop_map(|(capacity, overflow)| Op::Fit(capacity, overflow)),
    ]
}

fn apply(backlog: &mut Backlog, model: &mut Model, op: Op) {
    let taken = model.taken;
    match op {
        Op::Advance(n) => model.advance(n),
        Op::Open(back) if !model.is_open() => {
            let from = taken.saturating_sub(back).max(model.end().min(taken));
            assert_eq!(backlog.open(from, taken), model.open(from));
        }
        Op::Open(_) => {}
        Op::Reopen if !model.is_open() => assert_eq!(backlog.reopen(taken), model.reopen(taken)),
        Op::Reopen => {}
        Op::Close => {
            backlog.close(taken);
            model.close();
        }
        Op::Merge => {
            backlog.merge();
            model.merge();
        }
        Op::Clear => {
            assert_eq!(backlog.clear(taken), model.count());
            model.runs.clear();
        }
        Op::Trim(from, mark) => {
            let (from, mark) = (taken * from / 100, taken * mark / 100);
            backlog.trim(from, mark);
            model.trim(from, mark);
        }
        Op::Fit(capacity, overflow) => {
            // An open run keeps what it has when the newest are dropped.
            assert_eq!(backlog.fit(capacity, overflow, taken), model.fit(capacity, overflow));
            assert!(backlog.count(taken) <= capacity || model.is_open());
        }
    }
}

fn check(backlog: &Backlog, model: &Model, probes: &[u32]) {
    let taken = model.taken;
    assert_eq!(backlog.count(taken), model.count());
    assert_eq!(backlog.runs(), model.runs.len());
    assert_eq!(backlog.is_full(), model.runs.len() == RUNS_MAX);
    assert_eq!(backlog.is_open(), model.is_open());
    let mut position = 0;
    while let Some(run) = backlog.next(position, taken, 7) {
        assert_eq!(Some(run), model.next(position, 7));
        position = run.first + (run.count - 1) * run.stride + 1;
    }
    assert_eq!(model.next(position, 7), None);
    for pair in probes.windows(2) {
        let (from, to) = (taken * pair[0] / 100, taken * pair[1] / 100);
        let inside = model.runs.iter().flat_map(|r| &r.items).filter(|i| (from..to).contains(i)).count();
        assert_eq!(backlog.count_between(from, to), inside as u32);
        assert_eq!(backlog.next(from, taken, 3), model.next(from, 3));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn behaves_as_a_list_of_readings(
        ops in prop::collection::vec(op(), 1..60),
        probes in prop::collection::vec(0u32..=100, 6),
    ) {
        let (mut backlog, mut model) = (Backlog::default(), Model::default());
        for op in ops {
            apply(&mut backlog, &mut model, op);
            check(&backlog, &model, &probes);
        }
    }

    #[test]
    fn closed_runs_always_fit(capacity in 1u32..2_000, len in 1u32..READING_INDEX_MAX, gaps in 0u32..3) {
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Decimate] {
            let mut backlog = Backlog::default();
            let mut taken = 0;
            for _ in 0..=gaps {
                backlog.open(taken, taken);
                taken += len / (gaps + 1);
                backlog.close(taken);
                taken += 1;
            }
            let held = backlog.count(taken);
            let lost = backlog.fit(capacity, overflow, taken);
            prop_assert_eq!(backlog.count(taken) + lost, held);
            prop_assert!(backlog.count(taken) <= capacity);
            if overflow != Overflow::Decimate {
                prop_assert_eq!(backlog.count(taken), held.min(capacity));
            }
            let next = backlog.next(0, taken, 1);
            prop_assert!(next.is_none_or(|run| run.stride <= u32::from(u16::MAX)));
        }
    }
}

#[test]
fn takes_24_bytes() {
    assert_eq!(size_of::<Backlog>(), 24);
}

#[test]
fn a_full_table_gives_up_the_smallest_run() {
    let mut backlog = Backlog::default();
    for (from, to) in [(0, 50), (60, 63), (70, 90)] {
        backlog.open(from, from);
        backlog.close(to);
    }
    assert!(backlog.is_full());
    assert_eq!(backlog.open(100, 100), 3);
    assert_eq!(backlog.count(100), 70);
}

#[test]
fn touching_runs_become_one() {
    let mut backlog = Backlog::default();
    for (from, to) in [(0, 10), (10, 20), (20, 30)] {
        backlog.open(from, from);
        backlog.close(to);
    }
    assert!(backlog.is_full());
    backlog.merge();
    assert_eq!((backlog.runs(), backlog.count(30)), (1, 30));
    assert!(backlog.reopen(30));
    assert_eq!((backlog.runs(), backlog.count(35)), (1, 35));
}
