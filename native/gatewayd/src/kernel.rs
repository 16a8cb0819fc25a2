//! The filter in the kernel.

/// See `klais_xdp`.
pub enum Kernel {}
