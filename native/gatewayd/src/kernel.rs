//! The filter in the kernel: put in place, kept in step with the configuration, and looked after.
//!
//! Once it is loaded its tables are the dam's memory, attached or not: what is set in the dam holds in the kernel at
//! once, and where the interface is lost, user space goes on with what both knew.

use crate::clock::Clock;
use crate::config::{Config, Key, XdpMode};
use crate::error::StartError;
use crate::snapshot::{KernelCount, Placement};
use ipnet::IpNet;
use klais_dam::Dam;
use klais_gateway::GatewayConfig;
use klais_xdp::{AttachMode, Attachment, Filter, FilterConfig, LinkState, Prefix, XdpError};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tracing::{debug, warn};

/// The loaded filter, attached or not.
pub struct Kernel {
    filter: Filter,
    attachment: Option<Attachment>,
}

/// Where the dam has found its place.
pub struct Placed {
    pub dam: Dam,
    /// Without it the dam has memory of its own.
    pub kernel: Option<Kernel>,
    /// Why it is not where it was to be.
    pub reason: Option<String>,
}

/// Puts the dam where the configuration wants it. What waits in the data socket by then, nobody has looked at.
///
/// # Errors
/// [`StartError::Xdp`], where it was to be in the kernel and nowhere else; [`StartError::Dam`].
pub fn place(
    config: &Config,
    gateway: &GatewayConfig,
    listen: SocketAddr,
    clock: Clock,
) -> Result<Placed, StartError> {
    let in_user_space = |reason| {
        let dam = Dam::new(gateway.dam.clone()).map_err(StartError::Dam)?;
        Ok(Placed { dam, kernel: None, reason })
    };
    let modes: &[AttachMode] = match config.xdp {
        XdpMode::Off => return in_user_space(None),
        XdpMode::Auto => &[AttachMode::Native, AttachMode::Generic],
        XdpMode::Native => &[AttachMode::Native],
        XdpMode::Generic => &[AttachMode::Generic],
    };
    let Some(interface) = config.interface.as_deref() else {
        // The other modes are refused without one.
        return in_user_space(Some("no interface is configured".to_owned()));
    };
    let may_fail = config.xdp == XdpMode::Auto;
    let refused = |error| StartError::Xdp { interface: interface.to_owned(), error };
    klais_xdp::log_to(|text| debug!(text, "libbpf"));
    let filter = match load(config, gateway, listen, clock) {
        Ok(filter) => filter,
        Err(error) if may_fail => return in_user_space(Some(error.to_string())),
        Err(error) => return Err(refused(error)),
    };
    // Before it is attached: the program must see no dam without limits.
    let dam = Dam::over(gateway.dam.clone(), filter.tables()).map_err(StartError::Dam)?;
    let (attachment, error) = attach(&filter, interface, modes);
    match error {
        Some(error) if attachment.is_none() && !may_fail => Err(refused(error)),
        error => Ok(Placed {
            dam,
            kernel: Some(Kernel { filter, attachment }),
            reason: error.map(|error| error.to_string()),
        }),
    }
}

fn load(
    config: &Config,
    gateway: &GatewayConfig,
    listen: SocketAddr,
    clock: Clock,
) -> Result<Filter, XdpError> {
    let mut filter = Filter::load(&FilterConfig {
        dam: gateway.dam.clone(),
        slots: gateway.slots,
        port: listen.port(),
        gateway: config.gateway_number(listen.ip()),
        master: klais_xdp::Key { key: config.master_key.0, epoch: config.key_epoch },
        origin_nanos: clock.origin_nanos(),
        scale: clock.scale(),
        test: false,
    })?;
    // A socket bound to no address takes whatever comes to the port, and addresses come and go.
    if !listen.ip().is_unspecified() {
        filter.set_addresses(&[listen.ip()])?;
    }
    Ok(filter)
}

/// In the first of these modes that works; beside it why not in an earlier one. A later one is tried only where it may help.
fn attach(filter: &Filter, interface: &str, modes: &[AttachMode]) -> (Option<Attachment>, Option<XdpError>) {
    let mut first = None;
    for mode in modes {
        match filter.attach(interface, *mode) {
            Ok(attachment) => return (Some(attachment), first),
            Err(error) => {
                let goes_on = error.is_of_the_driver();
                first.get_or_insert(error);
                if !goes_on {
                    break;
                }
            }
        }
    }
    (None, first)
}

impl Kernel {
    /// Where packets meet the filter.
    pub fn placement(&self) -> Placement {
        match self.attachment.as_ref().map(Attachment::mode) {
            Some(AttachMode::Native) => Placement::Native,
            Some(AttachMode::Generic) => Placement::Generic,
            None => Placement::Off,
        }
    }

    /// The interface that it is attached to.
    pub fn interface(&self) -> Option<&str> {
        self.attachment.as_ref().map(Attachment::interface)
    }

    /// Whether it is still attached; if not, why it is not any more. That is told once.
    pub fn look(&mut self) -> Option<String> {
        let attachment = self.attachment.as_ref()?;
        let interface = attachment.interface();
        let lost = match attachment.state() {
            Ok(LinkState::Attached) => return None,
            Ok(LinkState::Detached) => format!("the filter was taken off {interface} from outside"),
            Ok(LinkState::InterfaceGone) => format!("the interface {interface} is gone"),
            // Taken off below, so that it is certain that nothing is decided twice.
            Err(error) => format!("nobody knows whether the filter still is on {interface}: {error}"),
        };
        self.attachment = None;
        Some(lost)
    }

    /// Lets frames of other gateways' shards through uncharged.
    ///
    /// # Errors
    /// More shards than the filter tells apart.
    pub fn set_elsewhere(&mut self, shards: u32, is_elsewhere: impl Fn(u32) -> bool) -> Result<(), XdpError> {
        self.filter.set_elsewhere(shards, is_elsewhere)
    }

    /// Checks frames with another master key from now on, and with the one before.
    pub fn rotate_master_key(&mut self, key: Key, epoch: u8) {
        self.filter.rotate_master_key(klais_xdp::Key { key: key.0, epoch });
    }

    /// Unblocks and blocks address ranges: all of them, or none.
    ///
    /// # Errors
    /// What the kernel says to the first one that it refuses.
    pub fn change_prefixes(
        &mut self,
        unblock: &BTreeSet<IpNet>,
        block: &BTreeSet<IpNet>,
    ) -> Result<(), XdpError> {
        let changes = unblock.iter().map(|net| (*net, false)).chain(block.iter().map(|net| (*net, true)));
        let mut done = Vec::new();
        for (net, is_blocked) in changes {
            match self.set_prefix(net, is_blocked) {
                Ok(true) => done.push((net, is_blocked)),
                Ok(false) => {}
                Err(error) => {
                    for (net, is_blocked) in done.into_iter().rev() {
                        // It was so before, and took as much room.
                        let _ = self.set_prefix(net, !is_blocked);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Whether that changed anything.
    fn set_prefix(&mut self, net: IpNet, is_blocked: bool) -> Result<bool, XdpError> {
        // An IpNet has no more bits than its address.
        let Some(prefix) = Prefix::new(net.addr(), net.prefix_len()) else { return Ok(false) };
        if is_blocked { self.filter.block_prefix(prefix) } else { self.filter.unblock_prefix(prefix) }
    }

    /// What was counted so far, attached or not any more.
    pub fn counters(&self) -> BTreeMap<&'static str, KernelCount> {
        match self.filter.counters() {
            Ok(counters) => counters
                .into_iter()
                .map(|(name, count)| (name, KernelCount { packets: count.packets, readings: count.readings }))
                .collect(),
            Err(error) => {
                warn!(%error, "no counters from the kernel");
                BTreeMap::new()
            }
        }
    }
}
