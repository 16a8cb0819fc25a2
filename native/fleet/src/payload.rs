//! What readings hold: bytes that depend on nothing but the device and the reading's index, so that a witness can tell
//! whether what was stored is what was taken.

use klais_burst_sync::Data;
use klais_units::draw;

const PURPOSE_PAYLOAD: u64 = 0x7061_796c;

/// Writes the readings that `data` names, `reading_bytes` each, to the front of `out`: how many bytes. None if they do
/// not fit.
pub fn fill(device: u32, data: &Data, reading_bytes: usize, out: &mut [u8]) -> Option<usize> {
    let bytes = usize::from(data.count) * reading_bytes;
    let room = out.get_mut(..bytes)?;
    let indexes = (0..u32::from(data.count)).map(|n| data.first.wrapping_add(n * u32::from(data.stride)));
    for (reading, index) in room.chunks_exact_mut(reading_bytes).zip(indexes) {
        for (chunk, word) in reading.chunks_mut(8).zip(0..) {
            let value = draw(u64::from(device), u64::from(index), word, PURPOSE_PAYLOAD).to_be_bytes();
            chunk.copy_from_slice(&value[..chunk.len()]);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use klais_burst_sync::Lane;

    fn run(first: u32, count: u16, stride: u16) -> Data {
        Data {
            session: 1,
            lane: Lane::Live,
            prev: 0,
            first,
            count,
            stride,
            due_millis: 0,
            gap: false,
            round: 0,
            term: klais_burst_sync::TermEcho::default(),
        }
    }

    // The same vectors are in test/live/witness/accounts.test.ts; a third program made them.
    #[test]
    fn readings_are_as_documented() {
        for (device, index, expected) in [
            (0, 0, "d510511b6c373f55ad82bc64877c3a11"),
            (7, 10, "4d64f17cc367df8710cb8f2b"),
            (999_999, 134_217_726, "4b2af1b0ad2e282bd8f821f6a01155dc1b1860e527"),
        ] {
            let bytes = expected.len() / 2;
            let mut out = [0; 32];
            assert_eq!(fill(device, &run(index, 1, 1), bytes, &mut out), Some(bytes));
            assert_eq!(hex::encode(&out[..bytes]), expected);
        }
    }

    #[test]
    fn a_reading_is_the_same_in_every_frame() {
        let (mut whole, mut part) = ([0; 64], [0; 64]);
        assert_eq!(fill(7, &run(10, 5, 1), 12, &mut whole), Some(60));
        assert_eq!(fill(7, &run(12, 2, 2), 12, &mut part), Some(24));
        assert_eq!(part[..12], whole[24..36]);
        assert_eq!(part[12..24], whole[48..60]);
        assert_ne!(whole[..12], whole[12..24]);
        fill(8, &run(10, 5, 1), 12, &mut part);
        assert_ne!(part[..12], whole[..12]);
        assert_eq!(fill(7, &run(0, 6, 1), 12, &mut whole), None);
    }
}
