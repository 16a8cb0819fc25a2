//! The keyed hash under every frame and every device key.

use siphasher::sip128::SipHasher24;
use subtle::ConstantTimeEq;

use super::header::MAC_BYTES;

/// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012; the wide output is
/// the authors' reference code of 2014), in the reference code's order of bytes.
pub(super) fn tag(key: &[u8; 16], message: &[u8]) -> [u8; MAC_BYTES] {
    SipHasher24::new_with_key(key).hash(message).as_bytes()
}

/// Whether `mac` is the message's, in a time that does not tell how much of it was right.
pub(super) fn verifies(key: &[u8; 16], message: &[u8], mac: &[u8]) -> bool {
    tag(key, message)[..].ct_eq(mac).into()
}
