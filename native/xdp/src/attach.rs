//! Puts the filter in an interface's way, and tells whether it still is.
#![allow(unsafe_code)]

use crate::{Filter, XdpError};
use libbpf_rs::libbpf_sys::{BPF_XDP, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
use libbpf_rs::libbpf_sys::{bpf_link_create, bpf_link_create_opts};
use libbpf_rs::query::{LinkInfo, LinkTypeInfo};
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// What an Ethernet interface has where nobody changed it, in bytes.
const USUAL_MTU: u32 = 1_500;

/// Where in the receive path packets meet the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachMode {
    /// In the driver, before the kernel has made anything of a packet.
    Native,
    /// Behind the driver. Any interface can, at some cost.
    Generic,
}

/// What has become of an [`Attachment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Packets meet the filter.
    Attached,
    /// Somebody has detached it; the interface is there.
    Detached,
    /// The interface is no more. One that has gone to another network namespace has taken the filter along.
    InterfaceGone,
}

/// A filter at work on an interface, for as long as this lives. The kernel takes it off when the process ends, however
/// that comes about: it is held by a file descriptor and by nothing else.
#[derive(Debug)]
#[must_use = "the filter is taken off when this is dropped"]
pub struct Attachment {
    link: OwnedFd,
    interface: String,
    index: u32,
    mode: AttachMode,
}

impl Filter {
    /// Attaches the filter to an interface of this thread's network namespace. Nothing changes where it cannot be; the
    /// mode is never another than asked for.
    ///
    /// # Errors
    /// Why not, and what to do about it.
    pub fn attach(&self, interface: &str, mode: AttachMode) -> Result<Attachment, XdpError> {
        let index = index_of(interface)?;
        // SAFETY: a structure of numbers and null pointers, for which zeros stand for "not given".
        let mut options: bpf_link_create_opts = unsafe { zeroed() };
        options.sz = size_of::<bpf_link_create_opts>() as _;
        options.flags = match mode {
            AttachMode::Native => XDP_FLAGS_DRV_MODE,
            AttachMode::Generic => XDP_FLAGS_SKB_MODE,
        };
        let program = self.program()?;
        let program_fd = program.as_fd().as_raw_fd();
        // SAFETY: both descriptors are valid for the call, and so are the options, which say how long they are.
        let link = unsafe { bpf_link_create(program_fd, index.cast_signed(), BPF_XDP, &options) };
        if link < 0 {
            return Err(refusal(interface, mode, -link));
        }
        // SAFETY: a descriptor that the kernel has just given to us and to nobody else.
        let link = unsafe { OwnedFd::from_raw_fd(link) };
        Ok(Attachment { link, interface: interface.to_owned(), index, mode })
    }
}

/// The kernel's handle.
impl AsFd for Attachment {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}

impl Attachment {
    /// The interface's name when it was attached.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Where packets meet it.
    #[must_use]
    pub fn mode(&self) -> AttachMode {
        self.mode
    }

    /// Whether it still is attached: one system call.
    ///
    /// # Errors
    /// The kernel's refusal to tell.
    pub fn state(&self) -> Result<LinkState, XdpError> {
        let info = LinkInfo::from_fd(self.link.as_fd()).map_err(XdpError::refused("looking at the link"))?;
        let LinkTypeInfo::Xdp(link) = info.info else { return Err(XdpError::Missing("XDP link")) };
        if link.ifindex != 0 {
            return Ok(LinkState::Attached);
        }
        let present = if_nametoindex(self.interface.as_str());
        Ok(if present == Ok(self.index) { LinkState::Detached } else { LinkState::InterfaceGone })
    }
}

/// The number of an interface of this thread's network namespace.
pub(crate) fn index_of(interface: &str) -> Result<u32, XdpError> {
    if_nametoindex(interface).map_err(|_| XdpError::NoInterface { interface: interface.to_owned() })
}

/// What an error of attaching means.
pub(crate) fn refusal(interface: &str, mode: AttachMode, errno: i32) -> XdpError {
    let interface = interface.to_owned();
    match errno {
        libc::EPERM | libc::EACCES => XdpError::NotPermitted { what: "attaching the filter" },
        // A program in one of the two hooks keeps any other out of both.
        libc::EBUSY | libc::EEXIST => XdpError::Busy { interface },
        libc::ENODEV => XdpError::NoInterface { interface },
        libc::EOPNOTSUPP if mode == AttachMode::Native => XdpError::NoNativeSupport { interface },
        libc::ENOSPC => XdpError::Queues { interface },
        libc::ERANGE => XdpError::Mtu { mtu: mtu_of(&interface), interface },
        // What some drivers say of long packets, and of much else.
        libc::EINVAL if mode == AttachMode::Native => match mtu_of(&interface) {
            mtu @ Some(bytes) if bytes > USUAL_MTU => XdpError::Mtu { interface, mtu },
            _ => XdpError::Attach { interface, error: io::Error::from_raw_os_error(errno) },
        },
        _ => XdpError::Attach { interface, error: io::Error::from_raw_os_error(errno) },
    }
}

/// An interface's MTU in bytes. Not from /sys, which may show another network namespace than the process is in.
fn mtu_of(interface: &str) -> Option<u32> {
    let any = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok()?;
    // SAFETY: a structure of numbers.
    let mut request: libc::ifreq = unsafe { zeroed() };
    // The last byte stays the 0 that ends the name.
    let places = request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1);
    for (place, byte) in places.zip(interface.bytes()) {
        *place = byte as _;
    }
    // SAFETY: the kernel reads the name and fills in the number, both within the request.
    let done = unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCGIFMTU, &raw mut request) };
    // SAFETY: after success, the number is what was written.
    (done == 0).then_some(unsafe { request.ifr_ifru.ifru_mtu }).and_then(|mtu| u32::try_from(mtu).ok())
}
