//! The frames of `native/vectors/wire-v1.json`, valid and not.

use klais_burst_sync::wire::{FrameType, WireError};
use klais_burst_sync::{Admit, Cookie, Data, Defer, Frame, Hello, Lane, Nack, NackReason};

/// The key of the hash's reference vectors.
const PLAIN: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const OTHER: [u8; 16] = *b"klais-wire-v1-ok";

/// A frame, who signs it, and with what.
#[derive(Clone)]
pub struct Valid {
    pub name: String,
    pub master_key: [u8; 16],
    pub key_epoch: u8,
    pub device: u32,
    pub frame: Frame,
    pub payload: Vec<u8>,
}

/// Bytes at an offset of the frame before they are signed.
pub type Change = (usize, Vec<u8>);

/// What is done to a frame that was valid.
pub enum Fault {
    /// Written over, then signed.
    Signed(Vec<Change>),
    /// Cut or padded with zeros to this size, which its length then says, written over and signed.
    Resized(usize, Vec<Change>),
    /// Written over after it was signed.
    Unsigned(Vec<Change>),
    /// The lowest bit of this byte turned over after it was signed.
    Flipped(usize),
    /// Cut or padded with zeros after it was signed.
    Cut(usize),
    /// Signed by another device.
    SignedBy(u32),
}

/// A frame that is refused.
pub struct Invalid {
    pub name: &'static str,
    pub from: FrameType,
    pub fault: Fault,
    pub error: WireError,
}

fn valid(name: &str, frame: Frame) -> Valid {
    let (device, payload) = (100_000, Vec::new());
    Valid { name: name.to_owned(), master_key: PLAIN, key_epoch: 0, device, frame, payload }
}

fn with_edges(edge: &Valid, device: u32, key_epoch: u8) -> Valid {
    Valid { master_key: OTHER, key_epoch, device, ..edge.clone() }
}

const COOKIE_MAX: Cookie = Cookie { slot: u32::MAX, mac: u64::MAX };

fn data(lane: Lane, readings: u16) -> Data {
    let (prev, first) = (86_400, 86_400);
    Data {
        session: 7,
        lane,
        prev,
        first,
        count: readings,
        stride: 1,
        due_millis: 86_400_000,
        gap: false,
        round: 0,
        term: klais_burst_sync::TermEcho::default(),
    }
}

fn data_vector(name: &str, data: Data, reading_bytes: usize) -> Valid {
    let payload = (0..usize::from(data.count) * reading_bytes).map(|n| (n * 7 + 1) as u8).collect();
    Valid { payload, ..valid(name, Frame::Data(data)) }
}

/// Answers to a HELLO, and HELLO.
fn handshakes() -> Vec<Valid> {
    let hello = Hello {
        session: 7,
        epoch: 1,
        backlog: 3_600,
        cookie: None,
        acked: (86_400, 82_800),
        gateway: 0x0a4d_0001,
    };
    let cookie = Cookie { slot: 70_000, mac: 0x0123_4567_89ab_cdef };
    let zero = Hello { session: 0, epoch: 0, backlog: 0, cookie: None, acked: (0, 0), gateway: 0 };
    let most = (u16::MAX, u32::MAX);
    let full = Hello {
        session: most.0,
        epoch: most.0,
        backlog: most.0,
        cookie: Some(COOKIE_MAX),
        acked: (most.1, most.1),
        gateway: most.1,
    };
    let admit = Admit {
        session: 7,
        marks: Some((86_400, 82_800)),
        backfill_delay_millis: 5_000,
        credit: 3_608,
        term: klais_burst_sync::Term::new(5),
    };
    let plain = Admit {
        session: 0,
        marks: None,
        backfill_delay_millis: 0,
        credit: 0,
        term: klais_burst_sync::Term::default(),
    };
    let wide = Admit {
        session: most.0,
        marks: Some((most.1, most.1)),
        backfill_delay_millis: most.1,
        credit: most.0,
        term: klais_burst_sync::Term::new(u32::MAX),
    };
    let defer = |session, delay_millis, cookie| Frame::Defer(Defer { session, delay_millis, cookie });
    let redirect =
        |session, delay_millis, address, port| Frame::Redirect { session, delay_millis, address, port };
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 77, 0, 2];
    let six = [0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    vec![
        valid("hello", Frame::Hello(hello)),
        valid("hello-with-cookie", Frame::Hello(Hello { cookie: Some(cookie), ..hello })),
        valid("hello-with-cookie-of-zeros", Frame::Hello(Hello { cookie: Some(Cookie::default()), ..zero })),
        with_edges(&valid("hello-zero", Frame::Hello(zero)), 0, 0),
        with_edges(&valid("hello-max", Frame::Hello(full)), u32::MAX, u8::MAX),
        valid("admit", Frame::Admit(admit)),
        valid("admit-without-marks", Frame::Admit(Admit { marks: None, ..admit })),
        valid("admit-with-marks-of-zero", Frame::Admit(Admit { marks: Some((0, 0)), ..plain })),
        with_edges(&valid("admit-zero", Frame::Admit(plain)), 0, 0),
        with_edges(&valid("admit-max", Frame::Admit(wide)), u32::MAX, u8::MAX),
        valid("defer", defer(7, 90_000, cookie)),
        with_edges(&valid("defer-zero", defer(0, 0, Cookie::default())), 0, 0),
        with_edges(&valid("defer-max", defer(most.0, most.1, COOKIE_MAX)), u32::MAX, u8::MAX),
        valid("redirect-ipv4", redirect(7, 2_000, mapped, 7_447)),
        valid("redirect-ipv6", redirect(7, 0, six, 7_447)),
        with_edges(&valid("redirect-zero", redirect(0, 0, [0; 16], 0)), 0, 0),
        with_edges(&valid("redirect-max", redirect(most.0, most.1, [0xff; 16], most.0)), u32::MAX, u8::MAX),
    ]
}

/// DATA and what answers it.
fn sessions() -> Vec<Valid> {
    let most = (u16::MAX, u32::MAX);
    let full = Data {
        session: most.0,
        lane: Lane::Backfill,
        prev: most.1,
        first: most.1,
        count: 1_352,
        stride: most.0,
        due_millis: most.1,
        gap: true,
        round: 3,
        term: klais_burst_sync::TermEcho::new(63),
    };
    let zero = Data { session: 0, prev: 0, first: 0, stride: 0, due_millis: 0, ..data(Lane::Live, 0) };
    let thinned = Data { stride: 4, prev: 80_000, gap: true, round: 2, ..data(Lane::Backfill, 20) };
    let ack = |session, lane, mark| Frame::Ack { session, lane, mark };
    let nack = |session, lane, mark, delay_millis, round, reason| {
        Frame::Nack(Nack { session, lane, mark, delay_millis, round, reason })
    };
    let bye = |session| Frame::Bye { session };
    vec![
        data_vector("data", data(Lane::Live, 2), 12),
        data_vector("data-keep-alive", data(Lane::Live, 0), 12),
        data_vector("data-backfill-thinned", thinned, 12),
        data_vector("data-one-byte", data(Lane::Live, 1), 1),
        data_vector("data-one-large-reading", data(Lane::Live, 1), 1_352),
        with_edges(&data_vector("data-zero", zero, 1), 0, 0),
        with_edges(&data_vector("data-max", full, 1), u32::MAX, u8::MAX),
        valid("ack", ack(7, Lane::Live, 86_410)),
        with_edges(&valid("ack-zero", ack(0, Lane::Live, 0)), 0, 0),
        with_edges(&valid("ack-max", ack(most.0, Lane::Backfill, most.1)), u32::MAX, u8::MAX),
        valid("nack-gap", nack(7, Lane::Live, 86_400, 0, 0, NackReason::Gap)),
        valid("nack-no-session", nack(7, Lane::Backfill, 0, 0, 1, NackReason::NoSession)),
        valid("nack-later", nack(7, Lane::Backfill, 82_800, 600_000, 1, NackReason::Later)),
        with_edges(&valid("nack-zero", nack(0, Lane::Live, 0, 0, 0, NackReason::Gap)), 0, 0),
        with_edges(
            &valid("nack-max", nack(most.0, Lane::Backfill, most.1, most.1, 3, NackReason::Later)),
            u32::MAX,
            u8::MAX,
        ),
        valid("bye", bye(7)),
        with_edges(&valid("bye-zero", bye(0)), 0, 0),
        with_edges(&valid("bye-max", bye(most.0)), u32::MAX, u8::MAX),
    ]
}

/// Every valid vector.
pub fn all_valid() -> Vec<Valid> {
    [handshakes(), sessions()].concat()
}

fn at(offset: usize, bytes: &[u8]) -> Vec<Change> {
    vec![(offset, bytes.to_vec())]
}

type Row = (&'static str, FrameType, Fault, WireError);

fn readings(count: u16, each: u16) -> Vec<Change> {
    [at(14, &count.to_be_bytes()), at(26, &each.to_be_bytes())].concat()
}

/// Wrong in size, version or type.
fn wrong_outside() -> Vec<Row> {
    use Fault::{Cut, Resized, Signed};
    use FrameType::{Bye, Data, Hello, Redirect};
    use WireError::{Length, Truncated, Type, Version};
    vec![
        ("empty", Hello, Cut(0), Truncated),
        ("hello-header-only", Hello, Cut(12), Truncated),
        ("hello-27-bytes", Hello, Cut(27), Truncated),
        ("bye-27-bytes", Bye, Cut(27), Truncated),
        ("version-0", Hello, Signed(at(0, &[0])), Version),
        ("version-2", Hello, Signed(at(0, &[2])), Version),
        ("version-255", Data, Signed(at(0, &[255])), Version),
        ("type-0", Hello, Signed(at(1, &[0])), Type),
        ("type-9", Hello, Signed(at(1, &[9])), Type),
        ("type-255", Bye, Signed(at(1, &[255])), Type),
        ("hello-28-bytes", Hello, Cut(28), Length),
        ("hello-one-byte-less", Hello, Cut(55), Length),
        ("hello-one-byte-more", Hello, Cut(57), Length),
        ("hello-says-one-less", Hello, Signed(at(2, &[0, 55])), Length),
        ("hello-says-65535", Hello, Signed(at(2, &[255, 255])), Length),
        ("hello-of-48-bytes", Hello, Resized(48, vec![]), Length),
        ("hello-of-64-bytes", Hello, Resized(64, vec![]), Length),
        ("admit-that-is-a-hello", Hello, Signed(at(1, &[2])), Length),
        ("redirect-with-32-bit-address", Redirect, Resized(48, vec![]), Length),
        ("data-of-47-bytes", Data, Resized(47, vec![]), Length),
        ("data-cut-by-a-reading", Data, Resized(60, vec![]), Length),
        ("data-of-1401-bytes", Data, Resized(1_401, readings(1, 1_353)), Length),
        ("data-count-too-high", Data, Signed(at(14, &[0, 3])), Length),
        ("data-count-too-low", Data, Signed(at(14, &[0, 1])), Length),
        ("data-count-0-with-payload", Data, Signed(at(14, &[0, 0])), Length),
        ("data-product-wraps", Data, Signed(readings(65_535, 65_535)), Length),
    ]
}

/// Wrong in a field, the key or the MAC; and wrong in several things, of which the first is told.
fn wrong_inside() -> Vec<Row> {
    use Fault::{Flipped, Resized, Signed, SignedBy, Unsigned};
    use FrameType::{Ack, Admit, Bye, Data, Defer, Hello, Nack, Redirect};
    use WireError::{Field, KeyEpoch, Length, Mac, Type, Version};
    vec![
        ("hello-flag-1", Hello, Signed(at(11, &[2])), Field),
        ("admit-flag-7", Admit, Signed(at(11, &[129])), Field),
        ("defer-flag-0", Defer, Signed(at(11, &[1])), Field),
        ("redirect-flag-0", Redirect, Signed(at(11, &[1])), Field),
        ("data-flag-1", Data, Signed(at(11, &[2])), Field),
        ("ack-flag-0", Ack, Signed(at(11, &[1])), Field),
        ("nack-flag-0", Nack, Signed(at(11, &[1])), Field),
        ("bye-flag-0", Bye, Signed(at(11, &[1])), Field),
        ("admit-reserved-18", Admit, Signed(at(18, &[1])), Field),
        ("admit-reserved-19", Admit, Signed(at(19, &[1])), Field),
        ("defer-reserved", Defer, Signed(at(20, &[128])), Field),
        ("redirect-reserved-18", Redirect, Signed(at(18, &[1])), Field),
        ("redirect-reserved-23", Redirect, Signed(at(23, &[1])), Field),
        ("ack-reserved-13", Ack, Signed(at(13, &[1])), Field),
        ("ack-reserved-23", Ack, Signed(at(23, &[1])), Field),
        ("nack-reserved", Nack, Signed(at(15, &[1])), Field),
        ("bye-reserved", Bye, Signed(at(15, &[1])), Field),
        ("hello-slot-without-flag", Hello, Signed(at(27, &[1])), Field),
        ("hello-cookie-mac-without-flag", Hello, Signed(at(32, &[1])), Field),
        ("admit-marks-without-flag", Admit, Signed(at(11, &[0])), Field),
        ("data-lane-2", Data, Signed(at(12, &[2])), Field),
        ("data-keep-alive-with-reading-bytes", Data, Resized(48, readings(0, 12)), Field),
        ("data-readings-of-no-bytes", Data, Resized(48, readings(9, 0)), Field),
        ("ack-lane-255", Ack, Signed(at(12, &[255])), Field),
        ("nack-lane-2", Nack, Signed(at(12, &[2])), Field),
        ("nack-round-4", Nack, Signed(at(13, &[4])), Field),
        ("nack-reason-3", Nack, Signed(at(14, &[3])), Field),
        ("hello-unknown-key-epoch", Hello, Signed(at(10, &[1])), KeyEpoch),
        ("data-unknown-key-epoch", Data, Signed(at(10, &[255])), KeyEpoch),
        ("hello-mac-first-byte", Hello, Flipped(40), Mac),
        ("hello-mac-last-byte", Hello, Flipped(55), Mac),
        ("hello-mac-of-zeros", Hello, Unsigned(at(40, &[0; 16])), Mac),
        ("hello-changed-backlog", Hello, Unsigned(at(14, &[255, 255])), Mac),
        ("hello-changed-session", Hello, Unsigned(at(8, &[0, 8])), Mac),
        ("hello-changed-gateway", Hello, Unsigned(at(31, &[2])), Mac),
        ("hello-of-another-device", Hello, SignedBy(100_001), Mac),
        ("hello-that-takes-a-device-number", Hello, Unsigned(at(4, &[0, 1, 0x86, 0xa1])), Mac),
        ("data-changed-payload", Data, Unsigned(at(32, &[255])), Mac),
        ("ack-changed-mark", Ack, Unsigned(at(16, &[255])), Mac),
        ("wrong-in-everything", Hello, Unsigned([at(0, &[2, 9, 0, 1]), at(10, &[9, 255])].concat()), Version),
        ("wrong-from-the-type-on", Hello, Unsigned([at(1, &[9, 0, 1]), at(10, &[9, 255])].concat()), Type),
        ("wrong-from-the-length-on", Hello, Unsigned([at(2, &[0, 1]), at(10, &[9, 255])].concat()), Length),
        ("wrong-from-the-flags-on", Hello, Unsigned(at(10, &[9, 255])), Field),
        ("wrong-from-the-key-epoch-on", Hello, Unsigned(at(10, &[9])), KeyEpoch),
    ]
}

/// Every invalid vector. Each starts from the first valid one of its type.
pub fn all_invalid() -> Vec<Invalid> {
    let rows = wrong_outside().into_iter().chain(wrong_inside());
    rows.map(|(name, from, fault, error)| Invalid { name, from, fault, error }).collect()
}
