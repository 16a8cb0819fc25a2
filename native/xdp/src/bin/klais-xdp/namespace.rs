//! A network of its own: a namespace that ends with this process, however that ends, and takes its interfaces along.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

use crate::error::ToolError;

/// One end of the wire.
pub struct Interface {
    /// As `ip link` has it.
    pub name: &'static str,
    pub index: u32,
    pub mac: [u8; 6],
}

/// A veth pair, from where a flood comes to where it goes.
pub struct Wire {
    pub flood: Interface,
    pub gate: Interface,
    /// The gate's address.
    pub address: Ipv4Addr,
}

const FLOOD: (&str, [u8; 6]) = ("klflood", [2, 0x6b, 0x6c, 0, 0, 1]);
const GATE: (&str, [u8; 6]) = ("klgate", [2, 0x6b, 0x6c, 0, 0, 2]);
/// Everybody whom the flood pretends to be is in this network, and none of them answers.
const GATE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
const PREFIX_BITS: u8 = 10;

/// Moves this process into a network namespace of its own, and makes the wire there. To be called before any thread
/// begins: a thread keeps the namespace it was born in.
pub fn enter_own() -> Result<Wire, ToolError> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(ToolError::system("making a network namespace"))?;
    ip(&format!(
        "link add {} address {} type veth peer name {} address {}",
        FLOOD.0,
        text(FLOOD.1),
        GATE.0,
        text(GATE.1)
    ))?;
    // Nobody else is on this wire: what speaks unasked would only be counted as a frame of the flood.
    for setting in ["conf/all/disable_ipv6", "conf/default/disable_ipv6"] {
        set("ipv6", setting, "1").or_else(|error| if has_ipv6() { Err(error) } else { Ok(()) })?;
    }
    for name in ["all", "default", FLOOD.0, GATE.0] {
        set("ipv4", &format!("conf/{name}/rp_filter"), "0")?;
    }
    ip(&format!("address add {GATE_ADDRESS}/{PREFIX_BITS} dev {}", GATE.0))?;
    for name in ["lo", FLOOD.0, GATE.0] {
        ip(&format!("link set {name} up"))?;
    }
    Ok(Wire { flood: interface(FLOOD)?, gate: interface(GATE)?, address: GATE_ADDRESS })
}

/// Runs a command to its end.
///
/// # Errors
///
/// Its complaint if it fails, or that it is not there.
pub fn run(program: &str, arguments: &[&str]) -> Result<String, ToolError> {
    let command = || format!("{program} {}", arguments.join(" "));
    let output = Command::new(program).args(arguments).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => ToolError::Unable(format!("there is no {program} on the PATH")),
        _ => ToolError::Command { command: command(), complaint: error.to_string() },
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ToolError::Command { command: command(), complaint })
}

/// Packets that an interface of this process's namespace has received, by programs and by the stack.
pub fn received(name: &str) -> Result<u64, ToolError> {
    const FILE: &str = "/proc/self/net/dev";
    let text = std::fs::read_to_string(FILE).map_err(ToolError::system(FILE))?;
    text.lines()
        .filter_map(|line| line.trim().split_once(':'))
        .find(|(interface, _)| *interface == name)
        .and_then(|(_, fields)| fields.split_whitespace().nth(1)?.parse().ok())
        .ok_or_else(|| ToolError::Unexpected(format!("{FILE} does not list {name}")))
}

fn interface((name, mac): (&'static str, [u8; 6])) -> Result<Interface, ToolError> {
    Ok(Interface { name, index: index_of(name)?, mac })
}

/// The kernel's number for an interface of this process's namespace.
pub fn index_of(name: &str) -> Result<u32, ToolError> {
    nix::net::if_::if_nametoindex(name).map_err(ToolError::system(format!("interface {name}")))
}

fn ip(arguments: &str) -> Result<String, ToolError> {
    run("ip", &arguments.split(' ').collect::<Vec<_>>())
}

fn has_ipv6() -> bool {
    std::path::Path::new("/proc/sys/net/ipv6").exists()
}

fn set(family: &str, setting: &str, value: &str) -> Result<(), ToolError> {
    let file = format!("/proc/sys/net/{family}/{setting}");
    std::fs::write(&file, value).map_err(ToolError::system(file))
}

fn text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}
