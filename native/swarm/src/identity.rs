//! Who a gateway is to foca.

/// A process that is gateway number `gateway`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its number in the roster.
    pub gateway: u16,
    /// Wall-clock time at which the process started, in microseconds since 1970: so a process that starts again is known for
    /// a new one. Raised by one each time the others had given it up. Reports of threats are dated by it.
    pub incarnation: u64,
}

impl foca::Identity for Identity {
    type Addr = u16;

    fn renew(&self) -> Option<Self> {
        self.incarnation.checked_add(1).map(|incarnation| Self { incarnation, ..*self })
    }

    fn addr(&self) -> u16 {
        self.gateway
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.incarnation > adversary.incarnation
    }
}
