//! Who may take part.

use alloc::vec::Vec;
use core::net::SocketAddr;

use ed25519_dalek::VerifyingKey;

use crate::SwarmError;

/// Most gateways of a cluster.
pub const GATEWAYS_MAX: usize = 4_096;

/// One gateway as it is configured everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its number.
    pub gateway: u16,
    /// Where it takes gossip, and sends it from.
    pub gossip: SocketAddr,
    /// Where devices send their frames.
    pub data: SocketAddr,
    /// Its Ed25519 public key.
    pub key: [u8; 32],
}

/// All gateways of the cluster, itself among them. Addresses and keys come from here and never from the network, so that
/// nobody can send gossip to a stranger's address or sign in another's name.
#[derive(Debug)]
pub struct Roster {
    /// In the order of their numbers.
    seats: Vec<(Peer, VerifyingKey)>,
    /// The numbers alone: they are looked up for every update that is heard.
    numbers: Vec<u16>,
}

impl Roster {
    /// The roster of these gateways, in any order.
    ///
    /// # Errors
    /// [`SwarmError::RosterSize`], [`SwarmError::Twice`] or [`SwarmError::Key`].
    pub fn new(peers: &[Peer]) -> Result<Self, SwarmError> {
        if peers.is_empty() || peers.len() > GATEWAYS_MAX {
            return Err(SwarmError::RosterSize { gateways: peers.len() });
        }
        let seat = |peer: &Peer| {
            let key = VerifyingKey::from_bytes(&peer.key).ok().filter(|key| !key.is_weak());
            let peer = Peer { gossip: canonical(peer.gossip), ..*peer };
            key.map(|key| (peer, key)).ok_or(SwarmError::Key { gateway: peer.gateway })
        };
        let mut seats = peers.iter().map(seat).collect::<Result<Vec<_>, _>>()?;
        seats.sort_by_key(|(peer, _)| peer.gateway);
        match seats.windows(2).find(|pair| pair[0].0.gateway == pair[1].0.gateway) {
            Some(pair) => Err(SwarmError::Twice { gateway: pair[0].0.gateway }),
            None => Ok(Self { numbers: seats.iter().map(|(peer, _)| peer.gateway).collect(), seats }),
        }
    }

    /// How many gateways.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Never: a roster has at least one gateway.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// All gateways, in the order of their numbers.
    pub fn peers(&self) -> impl ExactSizeIterator<Item = &Peer> {
        self.seats.iter().map(|(peer, _)| peer)
    }

    /// The place of a gateway in [`Roster::peers`].
    #[must_use]
    pub fn seat_of(&self, gateway: u16) -> Option<usize> {
        // Most rosters are numbered from 0.
        let guess = usize::from(gateway);
        if self.numbers.get(guess) == Some(&gateway) {
            return Some(guess);
        }
        self.numbers.binary_search(&gateway).ok()
    }

    pub(crate) fn peer(&self, seat: usize) -> Option<&Peer> {
        self.seats.get(seat).map(|(peer, _)| peer)
    }

    pub(crate) fn key(&self, seat: usize) -> Option<&VerifyingKey> {
        self.seats.get(seat).map(|(_, key)| key)
    }

    /// Bits to write how many gateways there are: about log2, at least 1.
    pub(crate) fn bits(&self) -> u32 {
        usize::BITS - self.seats.len().leading_zeros()
    }
}

/// An IPv4 address that is written as an IPv6 one, written as IPv4.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
