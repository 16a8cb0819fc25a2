//! A gateway's namespace, one for devices, and a veth pair between them. They go when the value goes.
#![allow(dead_code, reason = "each test file uses its part")]

use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The gateway's end of the cable.
pub const GATEWAY_LINK: &str = "klgw0";
/// The devices' end.
pub const DEVICE_LINK: &str = "kldev0";
pub const GATEWAY: &str = "10.77.0.1";
pub const GATEWAY_V6: &str = "fd77::1";
/// An address of every device that is a local one of their namespace: 10.80.0.0/12.
pub const DEVICE: &str = "10.80.0.1";

/// Both namespaces.
pub struct Network {
    gateway: String,
    devices: String,
}

impl Network {
    /// Cabled, with checksums that are finished before they leave, and a device end that takes what XDP_TX sends.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("klxdp-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let network = Self { gateway: format!("{name}-gw"), devices: format!("{name}-dev") };
        for namespace in [&network.gateway, &network.devices] {
            run(&["ip", "netns", "add", namespace]);
            run(&["ip", "-n", namespace, "link", "set", "lo", "up"]);
        }
        network.cable();
        network
    }

    /// The veth pair with its addresses, where there is none.
    pub fn cable(&self) {
        let (gateway, devices) = (&*self.gateway, &*self.devices);
        run(&[
            "ip",
            "-n",
            gateway,
            "link",
            "add",
            GATEWAY_LINK,
            "type",
            "veth",
            "peer",
            "name",
            DEVICE_LINK,
            "netns",
            devices,
        ]);
        let ends = [
            (gateway, GATEWAY_LINK, "10.77.0.1/24", "fd77::1/64"),
            (devices, DEVICE_LINK, "10.77.0.2/24", "fd77::2/64"),
        ];
        for (namespace, link, v4, v6) in ends {
            run(&["ip", "-n", namespace, "addr", "add", v4, "dev", link]);
            run(&["ip", "-n", namespace, "addr", "add", v6, "dev", link, "nodad"]);
            let offload = ["ethtool", "-K", link, "tx", "off"];
            self.within(namespace, || run(&offload));
            run(&["ip", "-n", namespace, "link", "set", link, "up"]);
        }
        self.at_devices(|| klais_xdp::let_pass(DEVICE_LINK)).expect("a program at the devices' end");
        run(&["ip", "-n", devices, "route", "replace", "local", "10.80.0.0/12", "dev", "lo"]);
        run(&["ip", "-n", gateway, "route", "add", "10.80.0.0/12", "via", "10.77.0.2"]);
    }

    /// The name of the devices' namespace.
    pub fn devices(&self) -> &str {
        &self.devices
    }

    /// Packets of up to 9,000 bytes, which no program in the driver of either end can take.
    pub fn take_jumbo(&self) {
        self.ip_at_devices(&["link", "set", "dev", DEVICE_LINK, "xdp", "off"]);
        self.ip_at_gateway(&["link", "set", "dev", GATEWAY_LINK, "mtu", "9000"]);
        self.ip_at_devices(&["link", "set", "dev", DEVICE_LINK, "mtu", "9000"]);
    }

    /// Does something where the gateway is. What it starts stays there.
    pub fn at_gateway<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.within(&self.gateway, work)
    }

    /// Does something where the devices are. Sockets made there stay there.
    pub fn at_devices<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.within(&self.devices, work)
    }

    /// `ip` in the gateway's namespace.
    pub fn ip_at_gateway(&self, arguments: &[&str]) -> Output {
        ip(&self.gateway, arguments)
    }

    /// `ip` in the devices' namespace.
    pub fn ip_at_devices(&self, arguments: &[&str]) -> Output {
        ip(&self.devices, arguments)
    }

    /// Whether any XDP program is attached to the gateway's end.
    pub fn has_program(&self) -> bool {
        let shown = self.ip_at_gateway(&["link", "show", "dev", GATEWAY_LINK]);
        String::from_utf8_lossy(&shown.stdout).contains("prog/xdp")
    }

    /// On a thread of its own, which alone changes namespace.
    fn within<T: Send>(&self, namespace: &str, work: impl FnOnce() -> T + Send) -> T {
        let file =
            File::open(format!("/run/netns/{namespace}")).expect("the namespace: these tests need root");
        std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                setns(&file, CloneFlags::CLONE_NEWNET).expect("another namespace");
                work()
            });
            there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for namespace in [&self.gateway, &self.devices] {
            // Where it was not made, there is nothing to remove.
            let _ = Command::new("ip").args(["netns", "del", namespace]).output();
        }
    }
}

fn ip(namespace: &str, arguments: &[&str]) -> Output {
    let output = Command::new("ip").args(["-n", namespace]).args(arguments).output().expect("ip");
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn run(command: &[&str]) {
    let output = Command::new(command[0]).args(&command[1..]).output().expect(command[0]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} needs root, ip and ethtool: {said}");
}
