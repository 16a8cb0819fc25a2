//! What a gateway carries without looking at it.

/// The readings' bytes of a run, in whatever form its driver keeps them: `()` in the simulator, which has none.
pub trait Payload: Clone + Default {
    /// What is left after the first `readings` of `count` equal pieces.
    #[must_use]
    fn skip(self, readings: u16, count: u16) -> Self;
}

impl Payload for () {
    fn skip(self, _readings: u16, _count: u16) -> Self {}
}
