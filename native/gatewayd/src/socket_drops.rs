//! Datagrams that the kernel threw away because the socket's buffer was full.

use std::fs;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Where in a line of `/proc/net/udp` the inode stands, and how many were dropped.
const INODE_FIELD: usize = 9;
const DROPS_FIELD: usize = 12;

/// One socket's count. The kernel keeps it in `/proc/net/udp` and `udp6`, by inode.
#[derive(Clone, Debug)]
pub struct SocketDrops {
    inode: Option<String>,
    table: &'static str,
}

impl SocketDrops {
    /// Of this socket.
    pub fn of(socket: &UdpSocket) -> Self {
        let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok();
        let inode = link.and_then(|link| {
            let name = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(name.to_owned())
        });
        let is_v6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
        Self { inode, table: if is_v6 { "/proc/self/net/udp6" } else { "/proc/self/net/udp" } }
    }

    /// The count; 0 where the kernel does not tell.
    pub fn read(&self) -> u64 {
        let Some(inode) = &self.inode else { return 0 };
        fs::read_to_string(self.table).ok().and_then(|table| find(&table, inode)).unwrap_or(0)
    }
}

fn find(table: &str, inode: &str) -> Option<u64> {
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = fields.get(INODE_FIELD) == Some(&inode);
        is_it.then(|| fields.get(DROPS_FIELD)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_by_inode() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            1234: 0100007F:1D17 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 48211 2 0000000000000000 17\n";
        assert_eq!(find(table, "48211"), Some(17));
        assert_eq!(find(table, "1"), None);
    }

    #[test]
    fn a_socket_of_ours_has_a_line() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let drops = SocketDrops::of(&socket);
        let table = fs::read_to_string(drops.table).expect("the table");
        assert_eq!(find(&table, &drops.inode.expect("an inode")), Some(0));
    }
}
