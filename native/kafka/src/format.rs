//! Records as bytes. `docs/kafka.md` describes them for whoever reads the topics.

use crate::types::{Checkpoint, Entry};
use klais_burst_sync::Lane;
use rdkafka::message::{Header, OwnedHeaders};

/// Version of checkpoint and term records.
const VERSION: u8 = 1;
/// Key of the record that holds the shard's term. No device's key has its length.
pub(crate) const TERM_KEY: &[u8] = b"term";
/// Headers of a reading.
const HEADERS: usize = 5;
/// What a reading takes in a batch beside its bytes: key, headers, and their lengths.
pub(crate) const READING_OVERHEAD_BYTES: u64 = 53;

/// Why bytes are no record of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatError {
    KeyLength(usize),
    ValueLength(usize),
    Version(u8),
    Lane(u8),
}

impl std::fmt::Display for FormatError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KeyLength(bytes) => write!(f, "its key has {bytes} bytes"),
            Self::ValueLength(bytes) => write!(f, "its value has {bytes} bytes"),
            Self::Version(version) => write!(f, "it has version {version}, this program reads {VERSION}"),
            Self::Lane(lane) => write!(f, "there is no lane {lane}"),
        }
    }
}

/// What a record of the checkpoint topic says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Term(u32),
    Mark(Checkpoint),
    /// A tombstone: the lane is forgotten.
    NoMark(u32, Lane),
    /// A tombstone of the term.
    NoTerm,
}

/// Headers of reading `n` of a run.
pub(crate) fn headers<P>(entry: &Entry<P>, n: u16) -> OwnedHeaders {
    let sequence = entry.first.wrapping_add(u32::from(n).wrapping_mul(u32::from(entry.stride)));
    let step = u64::from(n).saturating_mul(u64::from(entry.event_step_millis));
    let event = entry.event_millis.saturating_add(step);
    OwnedHeaders::new_with_capacity(HEADERS)
        .insert(Header { key: "d", value: Some(&entry.device.to_be_bytes()) })
        .insert(Header { key: "e", value: Some(&entry.epoch.to_be_bytes()) })
        .insert(Header { key: "l", value: Some(&[lane_code(entry.lane)]) })
        .insert(Header { key: "s", value: Some(&sequence.to_be_bytes()) })
        .insert(Header { key: "t", value: Some(&event.to_be_bytes()) })
}

/// Of a reading and of a mark alike. Not the device alone: kafkajs takes a record whose key is four zero bytes for the end
/// of an aborted transaction.
pub(crate) fn key(device: u32, lane: Lane) -> [u8; 5] {
    let [a, b, c, d] = device.to_be_bytes();
    [a, b, c, d, lane_code(lane)]
}

pub(crate) fn checkpoint_value(of: &Checkpoint) -> [u8; 9] {
    let [[e0, e1], [s0, s1]] = [of.epoch.to_be_bytes(), of.session.to_be_bytes()];
    let [m0, m1, m2, m3] = of.mark.to_be_bytes();
    [VERSION, e0, e1, s0, s1, m0, m1, m2, m3]
}

pub(crate) fn term_value(term: u32) -> [u8; 5] {
    let [a, b, c, d] = term.to_be_bytes();
    [VERSION, a, b, c, d]
}

/// Reads a record of the checkpoint topic.
pub(crate) fn stored(key: &[u8], value: Option<&[u8]>) -> Result<Stored, FormatError> {
    if key == TERM_KEY {
        return Ok(value.map(term).transpose()?.map_or(Stored::NoTerm, Stored::Term));
    }
    let [a, b, c, d, code] = *key else {
        return Err(FormatError::KeyLength(key.len()));
    };
    let device = u32::from_be_bytes([a, b, c, d]);
    let lane = lane(code)?;
    let Some(value) = value else {
        return Ok(Stored::NoMark(device, lane));
    };
    let [version, e0, e1, s0, s1, m0, m1, m2, m3] = *value else {
        return Err(FormatError::ValueLength(value.len()));
    };
    if version != VERSION {
        return Err(FormatError::Version(version));
    }
    Ok(Stored::Mark(Checkpoint {
        device,
        lane,
        epoch: u16::from_be_bytes([e0, e1]),
        session: u16::from_be_bytes([s0, s1]),
        mark: u32::from_be_bytes([m0, m1, m2, m3]),
    }))
}

fn term(value: &[u8]) -> Result<u32, FormatError> {
    match *value {
        [VERSION, a, b, c, d] => Ok(u32::from_be_bytes([a, b, c, d])),
        [version, _, _, _, _] => Err(FormatError::Version(version)),
        _ => Err(FormatError::ValueLength(value.len())),
    }
}

fn lane_code(lane: Lane) -> u8 {
    match lane {
        Lane::Live => 0,
        Lane::Backfill => 1,
    }
}

fn lane(code: u8) -> Result<Lane, FormatError> {
    match code {
        0 => Ok(Lane::Live),
        1 => Ok(Lane::Backfill),
        _ => Err(FormatError::Lane(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::Headers;

    const MARK: Checkpoint = Checkpoint {
        device: 0x0102_0304,
        lane: Lane::Backfill,
        epoch: 0x0506,
        session: 0x0708,
        mark: 0x090a_0b0c,
    };

    #[test]
    fn a_checkpoint_is_big_endian_and_comes_back() {
        let (key, value) = (key(MARK.device, MARK.lane), checkpoint_value(&MARK));
        assert_eq!(key, [1, 2, 3, 4, 1]);
        assert_eq!(value, [1, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(stored(&key, Some(&value)), Ok(Stored::Mark(MARK)));
        assert_eq!(stored(&key, None), Ok(Stored::NoMark(MARK.device, Lane::Backfill)));
    }

    #[test]
    fn a_term_comes_back_and_is_no_device() {
        assert_eq!(term_value(0x0102_0304), [1, 1, 2, 3, 4]);
        assert_eq!(stored(TERM_KEY, Some(&term_value(u32::MAX))), Ok(Stored::Term(u32::MAX)));
        assert_eq!(stored(TERM_KEY, None), Ok(Stored::NoTerm));
        assert_ne!(TERM_KEY.len(), key(0, Lane::Live).len());
    }

    #[test]
    fn foreign_records_are_refused() {
        let key = key(7, Lane::Live);
        assert_eq!(stored(&key[..4], None), Err(FormatError::KeyLength(4)));
        assert_eq!(stored(&[], None), Err(FormatError::KeyLength(0)));
        assert_eq!(stored(&key, Some(&[1; 8])), Err(FormatError::ValueLength(8)));
        assert_eq!(stored(&key, Some(&[2; 9])), Err(FormatError::Version(2)));
        assert_eq!(stored(&[0, 0, 0, 7, 2], None), Err(FormatError::Lane(2)));
        assert_eq!(stored(TERM_KEY, Some(&[9, 0, 0, 0, 1])), Err(FormatError::Version(9)));
        assert_eq!(stored(TERM_KEY, Some(&[1])), Err(FormatError::ValueLength(1)));
    }

    #[test]
    fn headers_count_up_within_a_run() {
        let entry = Entry {
            device: 1,
            epoch: 2,
            session: 3,
            lane: Lane::Live,
            first: u32::MAX,
            count: 2,
            stride: 3,
            end: 3,
            event_millis: 1_000,
            event_step_millis: 60,
            payload: (),
        };
        let headers = headers(&entry, 1);
        let value = |key| headers.iter().find(|header| header.key == key).and_then(|header| header.value);
        assert_eq!(value("d"), Some(&1_u32.to_be_bytes()[..]));
        assert_eq!(value("e"), Some(&2_u16.to_be_bytes()[..]));
        assert_eq!(value("l"), Some(&[0][..]));
        assert_eq!(value("s"), Some(&2_u32.to_be_bytes()[..]));
        assert_eq!(value("t"), Some(&1_060_u64.to_be_bytes()[..]));
    }
}
