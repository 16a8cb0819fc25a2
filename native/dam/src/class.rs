//! What a frame is, and which layers there are.

/// The class of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// Handshakes and acknowledgements.
    Control = 0,
    /// Fresh readings. Over its own rate it borrows from backfill.
    Live = 1,
    /// History without a reservation: charged to the backfill bucket as it comes.
    Backfill = 2,
    /// History within a credit from [`Dam::reserve_backfill`](crate::Dam::reserve_backfill): the backfill bucket was
    /// charged then, and is not charged again. Otherwise like `Backfill`.
    Reserved = 3,
}

impl Class {
    /// All classes, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Control, Self::Live, Self::Backfill, Self::Reserved];
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Whether it is history, to which live traffic is preferred.
    #[must_use]
    pub const fn is_history(self) -> bool {
        matches!(self, Self::Backfill | Self::Reserved)
    }
}

/// A layer of the dam that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Each device's own bucket; one limit for all.
    Device,
    /// The bucket of [`Class::Control`].
    Control,
    /// The bucket of [`Class::Live`].
    Live,
    /// The bucket of [`Class::Backfill`] and the queue of backfill slots.
    Backfill,
    /// The bucket that every frame passes last.
    Global,
    /// The queue of session slots.
    Sessions,
}
