//! Where each device's answers go.
//!
//! A device's address is taken from the HELLO that opens its session, and from nothing that anybody who has recorded
//! its frames could send: a copy of an old HELLO, or of DATA, moves no address.

use klais_burst_sync::Hello;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A device's newest attempt at a session that the gateway knows of: epoch and session.
pub type Attempt = (u16, u16);

/// One device, `N` bytes of address: 7 bytes for IPv4, 19 for IPv6. Bytes alone, so that no row is padded.
#[derive(Clone, Copy, Debug)]
struct Row<const N: usize> {
    address: [u8; N],
    /// 0: nothing has come from the device yet.
    port: [u8; 2],
    key_epoch: u8,
}

impl<const N: usize> Row<N> {
    const UNBOUND: Self = Self { address: [0; N], port: [0; 2], key_epoch: 0 };

    fn is_bound(&self) -> bool {
        self.port != [0; 2]
    }

    fn on_hello(&mut self, is_newer: bool, address: [u8; N], port: u16, key_epoch: u8) {
        if is_newer || !self.is_bound() {
            *self = Self { address, port: port.to_be_bytes(), key_epoch };
        }
    }

    fn on_data(&mut self, address: [u8; N], port: u16, key_epoch: u8) {
        if !self.is_bound() {
            *self = Self { address, port: port.to_be_bytes(), key_epoch };
        } else if key_epoch.wrapping_sub(self.key_epoch) < 1 << 7 {
            // Forward only: a copy of a frame from before a rotation must not bring the old key back.
            self.key_epoch = key_epoch;
        }
    }
}

/// Whether a HELLO is of a later attempt than the one known.
fn is_newer(hello: &Hello, known: Option<Attempt>) -> bool {
    let newer = |a: u16, b: u16| a != b && a.wrapping_sub(b) < 1 << 15;
    known.is_none_or(|(epoch, session)| {
        newer(hello.epoch, epoch) || (hello.epoch == epoch && newer(hello.session, session))
    })
}

#[derive(Debug)]
enum Rows {
    V4(Box<[Row<4>]>),
    V6(Box<[Row<16>]>),
}

/// One row per device, of the size that the socket's family needs.
#[derive(Debug)]
pub struct Addresses(Rows);

/// Where to, and signed with the device's key of which number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    pub address: SocketAddr,
    pub key_epoch: u8,
}

impl Addresses {
    /// Rows for `devices`, as they reach a socket bound to `listen`.
    pub fn new(devices: u32, listen: SocketAddr) -> Self {
        let count = devices as usize;
        Self(match listen {
            SocketAddr::V4(_) => Rows::V4(vec![Row::UNBOUND; count].into_boxed_slice()),
            SocketAddr::V6(_) => Rows::V6(vec![Row::UNBOUND; count].into_boxed_slice()),
        })
    }

    /// A HELLO that the dam let pass came `from` there: its answer goes there if it is newer than the attempt that the gateway
    /// knows.
    pub fn on_hello(
        &mut self,
        device: u32,
        hello: &Hello,
        known: Option<Attempt>,
        from: SocketAddr,
        key_epoch: u8,
    ) {
        let newer = is_newer(hello, known);
        match (&mut self.0, from.ip()) {
            (Rows::V4(rows), IpAddr::V4(ip)) => {
                row(rows, device, |row| row.on_hello(newer, ip.octets(), from.port(), key_epoch));
            }
            (Rows::V6(rows), ip) => {
                row(rows, device, |row| row.on_hello(newer, mapped(ip), from.port(), key_epoch));
            }
            (Rows::V4(_), IpAddr::V6(_)) => {}
        }
    }

    /// DATA that the dam let pass came `from` there: counts only where nothing is known of the device yet.
    pub fn on_data(&mut self, device: u32, from: SocketAddr, key_epoch: u8) {
        match (&mut self.0, from.ip()) {
            (Rows::V4(rows), IpAddr::V4(ip)) => {
                row(rows, device, |row| row.on_data(ip.octets(), from.port(), key_epoch));
            }
            (Rows::V6(rows), ip) => row(rows, device, |row| row.on_data(mapped(ip), from.port(), key_epoch)),
            (Rows::V4(_), IpAddr::V6(_)) => {}
        }
    }

    /// Where a device's answers go; `None` before anything came from it.
    pub fn get(&self, device: u32) -> Option<Destination> {
        let place = device as usize;
        match &self.0 {
            Rows::V4(rows) => rows.get(place).and_then(|r| destination(r, Ipv4Addr::from(r.address).into())),
            Rows::V6(rows) => rows.get(place).and_then(|r| destination(r, Ipv6Addr::from(r.address).into())),
        }
    }
}

fn row<const N: usize>(rows: &mut [Row<N>], device: u32, change: impl FnOnce(&mut Row<N>)) {
    if let Some(row) = rows.get_mut(device as usize) {
        change(row);
    }
}

fn destination<const N: usize>(row: &Row<N>, ip: IpAddr) -> Option<Destination> {
    let address = SocketAddr::new(ip, u16::from_be_bytes(row.port));
    row.is_bound().then_some(Destination { address, key_epoch: row.key_epoch })
}

fn mapped(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(epoch: u16, session: u16) -> Hello {
        Hello { session, epoch, backlog: 0, cookie: None, acked: (0, 0), gateway: 0 }
    }

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    #[test]
    fn rows_are_as_small_as_they_say() {
        assert_eq!(size_of::<Row<4>>(), 7);
        assert_eq!(size_of::<Row<16>>(), 19);
    }

    #[test]
    fn only_a_newer_hello_moves_an_address() {
        let mut addresses = Addresses::new(2, at(0));
        let known = Some((3, 9));
        addresses.on_hello(1, &hello(3, 9), None, at(1), 0);
        for (epoch, session) in [(3, 9), (3, 8), (2, 200), (3, 9 + (1 << 15))] {
            addresses.on_hello(1, &hello(epoch, session), known, at(2), 0);
            assert_eq!(addresses.get(1).map(|d| d.address), Some(at(1)), "{epoch}/{session}");
        }
        addresses.on_hello(1, &hello(3, 10), known, at(3), 0);
        assert_eq!(addresses.get(1).map(|d| d.address), Some(at(3)));
        addresses.on_hello(1, &hello(4, 1), Some((3, 10)), at(4), 0);
        assert_eq!(addresses.get(1).map(|d| d.address), Some(at(4)));
        assert_eq!(addresses.get(0), None);
        addresses.on_hello(2, &hello(0, 1), None, at(5), 0);
        assert_eq!(addresses.get(2), None);
    }

    #[test]
    fn data_binds_a_device_of_which_nothing_is_known() {
        let mut addresses = Addresses::new(1, at(0));
        addresses.on_data(0, at(1), 7);
        addresses.on_data(0, at(2), 7);
        assert_eq!(addresses.get(0), Some(Destination { address: at(1), key_epoch: 7 }));
        addresses.on_hello(0, &hello(0, 2), Some((0, 1)), at(3), 7);
        addresses.on_data(0, at(4), 7);
        assert_eq!(addresses.get(0).map(|d| d.address), Some(at(3)));
    }

    #[test]
    fn the_key_moves_forward_alone() {
        let mut addresses = Addresses::new(1, at(0));
        addresses.on_data(0, at(1), 255);
        addresses.on_data(0, at(1), 0);
        addresses.on_data(0, at(1), 255);
        assert_eq!(addresses.get(0).map(|d| d.key_epoch), Some(0));
    }

    #[test]
    fn a_socket_for_ipv6_keeps_both_families() {
        let listen: SocketAddr = "[::]:7447".parse().expect("an address");
        let mut addresses = Addresses::new(2, listen);
        let v6: SocketAddr = "[2001:db8::7]:9".parse().expect("an address");
        let v4_mapped: SocketAddr = "[::ffff:10.0.0.1]:9".parse().expect("an address");
        addresses.on_data(0, v6, 0);
        addresses.on_data(1, v4_mapped, 0);
        assert_eq!(addresses.get(0).map(|d| d.address), Some(v6));
        assert_eq!(addresses.get(1).map(|d| d.address), Some(v4_mapped));
    }
}
