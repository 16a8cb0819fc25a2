//! Frames that must change nothing: what an attacker can send without a device's key, or with the wrong ones.

use klais_burst_sync::wire::{FRAME_BYTES_MAX, MAC_BYTES, MasterKeys, encode, parse};
use klais_burst_sync::{Cookie, Frame, Hello};
use klais_units::{draw, scale};
use serde::{Deserialize, Serialize};
use std::ops::Range;

const PURPOSE_FORGE: u64 = 0x666f_7267;

/// What kind of frame it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A HELLO in an honest device's name, with a random MAC.
    Spoofed,
    /// A HELLO with a cookie that no gateway has made, or that was another device's: signed by an insider where there
    /// are any, else with a random MAC.
    ForgedCookie,
    /// A captured HELLO, as it was.
    Replay,
    /// A HELLO signed under a master key that is no longer good.
    OldKey,
    /// A HELLO cut short, grown, or with a header that lies.
    Malformed,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Spoofed, Self::ForgedCookie, Self::Replay, Self::OldKey, Self::Malformed];
}

/// Makes frames, each from its number alone.
pub struct Forge {
    /// Of all draws.
    pub seed: u64,
    /// Honest devices are numbered below this.
    pub devices: u32,
    /// The master key that is no longer good.
    pub old_keys: Option<MasterKeys>,
    /// Devices whose keys the attacker has.
    pub insiders: Option<(Range<u32>, MasterKeys)>,
    /// Captured HELLO frames.
    pub captured: Vec<Vec<u8>>,
}

impl Forge {
    /// Writes frame number `n`, for the gateway of this number, to the front of `out`: its size. A captured one stays as it
    /// was. None where the attacker lacks what it takes.
    pub fn frame(&self, kind: Kind, n: u64, gateway: u32, out: &mut [u8; FRAME_BYTES_MAX]) -> Option<usize> {
        let device = self.below(n, 0, self.devices);
        match kind {
            Kind::Spoofed => self.unsigned(device, None, n, gateway, out),
            Kind::ForgedCookie => match &self.insiders {
                Some((range, keys)) => {
                    let insider = range.start + self.below(n, 1, range.end - range.start);
                    self.signed(insider, Some(self.cookie(n)), n, gateway, keys, out)
                }
                None => self.unsigned(device, Some(self.cookie(n)), n, gateway, out),
            },
            Kind::Replay => {
                let captured = self.captured.get(self.below(n, 2, self.captured.len() as u32) as usize)?;
                out.get_mut(..captured.len())?.copy_from_slice(captured);
                Some(captured.len())
            }
            Kind::OldKey => self.signed(device, None, n, gateway, self.old_keys.as_ref()?, out),
            Kind::Malformed => self.malformed(device, n, gateway, out),
        }
    }

    fn random(&self, n: u64, which: u64) -> u64 {
        draw(self.seed, n, which, PURPOSE_FORGE)
    }

    fn below(&self, n: u64, which: u64, bound: u32) -> u32 {
        scale(self.random(n, which), u64::from(bound)) as u32
    }

    /// Of two cookies one is invented, the other was given to somebody else.
    fn cookie(&self, n: u64) -> Cookie {
        let invented = Cookie { slot: self.random(n, 3) as u32, mac: self.random(n, 4) };
        let stolen = || {
            let captured = self.captured.get(self.below(n, 5, self.captured.len() as u32) as usize)?;
            match parse(captured).ok()?.frame {
                Frame::Hello(hello) => hello.cookie,
                _ => None,
            }
        };
        if n.is_multiple_of(2) { invented } else { stolen().unwrap_or(invented) }
    }

    fn signed(
        &self,
        device: u32,
        cookie: Option<Cookie>,
        n: u64,
        gateway: u32,
        keys: &MasterKeys,
        out: &mut [u8],
    ) -> Option<usize> {
        let (session, backlog) = (self.random(n, 6) as u16, self.random(n, 7) as u16);
        let hello = Frame::Hello(Hello { session, epoch: 0, backlog, cookie, acked: (0, 0), gateway });
        let key = keys.device_key(device, keys.epoch())?;
        encode(&hello, device, keys.epoch(), &key, &[], out).ok()
    }

    fn unsigned(
        &self,
        device: u32,
        cookie: Option<Cookie>,
        n: u64,
        gateway: u32,
        out: &mut [u8],
    ) -> Option<usize> {
        let guessed = MasterKeys::new([0; 16], self.guessed_epoch());
        let bytes = self.signed(device, cookie, n, gateway, &guessed, out)?;
        let mac = out.get_mut(..bytes)?.last_chunk_mut::<MAC_BYTES>()?;
        let (high, low) = mac.split_at_mut(8);
        high.copy_from_slice(&self.random(n, 8).to_be_bytes());
        low.copy_from_slice(&self.random(n, 9).to_be_bytes());
        Some(bytes)
    }

    /// The number of the present key is on every frame: an attacker who has captured one knows it.
    fn guessed_epoch(&self) -> u8 {
        self.captured.first().and_then(|frame| parse(frame).ok()).map_or(0, |parsed| parsed.key_epoch)
    }

    fn malformed(&self, device: u32, n: u64, gateway: u32, out: &mut [u8; FRAME_BYTES_MAX]) -> Option<usize> {
        let bytes = self.unsigned(device, None, n, gateway, out)?;
        let value = self.random(n, 10) as u8;
        match self.below(n, 11, 5) {
            0 => return Some(self.below(n, 12, bytes as u32) as usize),
            1 => return Some(bytes + 1 + self.below(n, 12, (FRAME_BYTES_MAX - bytes) as u32) as usize),
            // Version, type, length, flags: never what they were.
            2 => out[0] ^= value.max(1),
            3 => out[3] ^= value.max(1),
            _ => out[11] ^= value.max(2) & 0xfe | 2,
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klais_burst_sync::wire::{WireError, open};

    fn forge(keys: &MasterKeys) -> Forge {
        let mut captured = vec![0; FRAME_BYTES_MAX];
        let cookie = Some(Cookie { slot: 77, mac: 88 });
        let hello =
            Frame::Hello(Hello { session: 9, epoch: 0, backlog: 1, cookie, acked: (0, 0), gateway: 0 });
        let key = keys.device_key(5, keys.epoch()).expect("a key");
        let bytes = encode(&hello, 5, keys.epoch(), &key, &[], &mut captured).expect("a frame");
        captured.truncate(bytes);
        Forge {
            seed: 1,
            devices: 100,
            old_keys: Some(MasterKeys::new([1; 16], 1)),
            insiders: Some((90..100, keys.clone())),
            captured: vec![captured],
        }
    }

    #[test]
    fn every_kind_fails_for_its_own_reason() {
        let keys = MasterKeys::new([3; 16], 3);
        let forge = forge(&keys);
        let mut out = [0; FRAME_BYTES_MAX];
        let mut stolen = 0;
        for n in 0..10_000 {
            let mut made = |kind| {
                let bytes = forge.frame(kind, n, 7, &mut out).expect("a frame");
                out[..bytes].to_vec()
            };
            assert_eq!(open(&made(Kind::Spoofed), &keys), Err(WireError::Mac));
            assert_eq!(open(&made(Kind::OldKey), &keys), Err(WireError::KeyEpoch));
            assert_eq!(made(Kind::Replay), forge.captured[0]);
            let malformed = open(&made(Kind::Malformed), &keys).expect_err("malformed");
            assert!(malformed < WireError::KeyEpoch, "{n}: {malformed:?}");
            let insider = made(Kind::ForgedCookie);
            let insider = open(&insider, &keys).expect("signed by an insider");
            let Frame::Hello(hello) = insider.frame else { panic!("{:?}", insider.frame) };
            assert!((90..100).contains(&insider.device));
            stolen += u32::from(hello.cookie == Some(Cookie { slot: 77, mac: 88 }));
        }
        assert_eq!(stolen, 5_000);
    }

    #[test]
    fn an_attacker_without_means_makes_nothing() {
        let bare = Forge { seed: 1, devices: 1, old_keys: None, insiders: None, captured: Vec::new() };
        let mut out = [0; FRAME_BYTES_MAX];
        assert_eq!(bare.frame(Kind::Replay, 0, 7, &mut out), None);
        assert_eq!(bare.frame(Kind::OldKey, 0, 7, &mut out), None);
        let bytes = bare.frame(Kind::ForgedCookie, 0, 7, &mut out).expect("a guess");
        assert_eq!(open(&out[..bytes], &MasterKeys::new([3; 16], 0)), Err(WireError::Mac));
    }
}
