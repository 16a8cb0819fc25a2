//! The native modules as Node sees them: two objects, [`fleet::Fleet`] and [`cluster::Cluster`], stepped once per time slice over
//! packed records in typed arrays. No call per event, no object per event.

mod bindings;
mod cluster;
mod digest;
mod eyes;
mod fleet;
mod log;
mod options;
mod record;
mod swarm;
mod typed_array;
