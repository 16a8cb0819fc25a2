//! The cluster's key, and what a gateway signs with.

use core::fmt;

use siphasher::sip128::SipHasher24;
use subtle::ConstantTimeEq;

/// Bytes of a datagram's MAC.
pub(crate) const MAC_BYTES: usize = 16;

#[derive(Clone, Copy)]
struct Key {
    key: [u8; 16],
    epoch: u8,
}

/// The key that all gateways share, and the one before, so that a rotation leaves no gap.
#[derive(Clone)]
pub struct ClusterKeys {
    present: Key,
    previous: Option<Key>,
}

impl ClusterKeys {
    /// One key, numbered `epoch`, and none before it.
    #[must_use]
    pub const fn new(key: [u8; 16], epoch: u8) -> Self {
        Self { present: Key { key, epoch }, previous: None }
    }

    /// Makes `key` the present one. The key so far stays good until the next rotation. A repeated `epoch` replaces the
    /// key of that number instead.
    pub fn rotate(&mut self, key: [u8; 16], epoch: u8) {
        let replaced = core::mem::replace(&mut self.present, Key { key, epoch });
        if replaced.epoch != epoch {
            self.previous = Some(replaced);
        }
    }

    /// Number of the present key.
    #[must_use]
    pub const fn epoch(&self) -> u8 {
        self.present.epoch
    }

    /// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein, 2012) under the present key.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; MAC_BYTES] {
        tag(&self.present.key, message)
    }

    /// Whether the key of that number is known, and if so whether `mac` is the message's under it, in a time that does not
    /// tell how much of it was right.
    pub(crate) fn verifies(&self, epoch: u8, message: &[u8], mac: &[u8]) -> Option<bool> {
        let known = core::iter::once(&self.present).chain(&self.previous).find(|key| key.epoch == epoch)?;
        Some(tag(&known.key, message)[..].ct_eq(mac).into())
    }
}

fn tag(key: &[u8; 16], message: &[u8]) -> [u8; MAC_BYTES] {
    SipHasher24::new_with_key(key).hash(message).as_bytes()
}

/// Hides the keys.
impl fmt::Debug for ClusterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterKeys")
            .field("epoch", &self.present.epoch)
            .field("previous_epoch", &self.previous.map(|key| key.epoch))
            .finish_non_exhaustive()
    }
}

/// The secret from which a gateway's Ed25519 key pair follows (RFC 8032). No other gateway has it.
#[derive(Clone, Copy)]
pub struct SigningSeed([u8; 32]);

impl SigningSeed {
    /// A seed of 32 random bytes.
    #[must_use]
    pub const fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// The public key that goes into the roster.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.signing_key().verifying_key().to_bytes()
    }

    pub(crate) fn signing_key(&self) -> ed25519_dalek::SigningKey {
        ed25519_dalek::SigningKey::from_bytes(&self.0)
    }
}

/// Hides the seed.
impl fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSeed")
    }
}
