//! Whether this process may do what it is about to do.

use std::fs;

use crate::error::ToolError;

/// Bits of a capability set (capabilities(7)).
const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_ADMIN: u32 = 21;

/// An error unless this process may load programs and make namespaces.
pub fn check() -> Result<(), ToolError> {
    const FILE: &str = "/proc/self/status";
    let status = fs::read_to_string(FILE).map_err(ToolError::system(FILE))?;
    if may(&status) {
        return Ok(());
    }
    let reason = "loading BPF programs and making network namespaces needs root, in a container CAP_SYS_ADMIN and \
                  CAP_NET_ADMIN too";
    Err(ToolError::Unable(reason.into()))
}

fn may(status: &str) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    [CAP_NET_ADMIN, CAP_SYS_ADMIN].iter().all(|bit| set >> bit & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::may;

    #[test]
    fn rights_are_those_in_effect() {
        assert!(may("Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t000001ffffffffff\n"));
        // Docker's default set lacks CAP_SYS_ADMIN and CAP_NET_ADMIN; a user has none.
        assert!(!may("CapPrm:\t000001ffffffffff\nCapEff:\t00000000a80425fb\n"));
        assert!(!may("CapEff:\t0000000000000000\n"));
        assert!(!may("Name:\tx\n"));
    }
}
