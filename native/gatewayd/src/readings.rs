//! The readings of a run, as they came.

use bytes::Bytes;
use klais_gateway::Payload;

/// `count` equal pieces. Empty where the sink does not want them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings(pub Bytes);

#[cfg(feature = "kafka")]
impl AsRef<[u8]> for Readings {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Payload for Readings {
    fn skip(mut self, readings: u16, count: u16) -> Self {
        let each = self.0.len().checked_div(usize::from(count)).unwrap_or(0);
        let skipped = (each * usize::from(readings)).min(self.0.len());
        Self(self.0.split_off(skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_already_is_left_out() {
        let three = Readings(Bytes::from_static(b"aabbcc"));
        assert_eq!(three.clone().skip(0, 3), three);
        assert_eq!(three.clone().skip(2, 3).0, "cc");
        assert_eq!(three.skip(3, 3).0, "");
        assert_eq!(Readings::default().skip(2, 3), Readings::default());
        assert_eq!(Readings::default().skip(0, 0), Readings::default());
    }
}
