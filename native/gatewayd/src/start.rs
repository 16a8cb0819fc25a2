//! From a configuration file to a running loop, and from there to the end.

use crate::clock::{Clock, monotonic_nanos};
use crate::config::{Config, Hex, XdpMode};
use crate::daemon::{Daemon, Ending, Parts};
use crate::error::StartError;
use crate::kernel::{self, Kernel, Placed};
use crate::mailbox::mailbox;
use crate::random::random;
use crate::snapshot::Placement;
use crate::socket_drops::SocketDrops;
use crate::swarm::Gossip;
use crate::turnaround::Turnaround;
use crate::{admin, endpoint, sink};
use klais_gateway::Gateway;
use klais_swarm::SigningSeed;
use serde_json::{Value, json};
use std::io::{Error, Write};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;
use tracing::{error, info, warn};

/// Starts, runs, drains.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn run(path: &Path) -> Result<(), StartError> {
    let config = Config::load(path)?;
    let socket = endpoint::data_socket(config.listen)?;
    let admin_socket = endpoint::admin_socket(config.admin)?;
    let system = |what| move |error| StartError::System { what, error };
    let listen = socket.local_addr().map_err(system("the data socket has no address"))?;
    let admin = admin_socket.local_addr().map_err(system("the admin socket has no address"))?;
    let (outside, inbox) = mailbox().map_err(system("no descriptor for the loop's bell"))?;
    let drops = SocketDrops::of(&socket);
    let clock = Clock::new(config.origin_nanos.unwrap_or_else(monotonic_nanos), config.time_scale);

    let wrong = |(key, problem)| StartError::Config { path: path.to_owned(), place: None, key, problem };
    let gateway_config = config.gateway_config().map_err(wrong)?;
    let gossip = match config.swarm_config().map_err(wrong)? {
        Some(swarm) => Gossip::new(&config, swarm)?,
        None => None,
    };
    let dam_config = gateway_config.dam.clone();
    let Placed { dam, kernel, reason } = kernel::place(&config, &gateway_config, listen, clock)?;
    if let Some(interface) = kernel.as_ref().and_then(Kernel::interface) {
        endpoint::take_from(&socket, interface, listen.ip());
    }
    if let (XdpMode::Auto, Some(reason)) = (config.xdp, &reason) {
        let xdp = kernel.as_ref().map_or(Placement::Off, Kernel::placement);
        warn!(reason, ?xdp, "the dam does not run in the driver");
    }
    let gateway = Gateway::with_dam(gateway_config, dam)
        .map_err(|error| wrong(("policy".to_owned(), format!("no gateway can be made of it: {error:?}"))))?;
    let turnaround = Turnaround::new().ok_or_else(|| StartError::System {
        what: "the turnaround histogram cannot be made",
        error: Error::other("bounds"),
    })?;
    let sink = sink::make(&config)?;
    let parts = Parts { socket, inbox, gateway, sink, dam_config, kernel, reason, clock, turnaround, gossip };
    let mut daemon = Daemon::new(config, parts);

    serve_admin(admin_socket, outside, drops)?;
    if !daemon.settle() {
        warn!("not all shards are open yet");
    }
    let ready = daemon.snapshot();
    say(&json!({
        "ready": true,
        "listen": listen.to_string(),
        "admin": admin.to_string(),
        "xdp": ready.xdp,
        "reason": ready.reason,
    }));
    info!(%listen, %admin, xdp = ?ready.xdp, reason = ready.reason, "ready");
    let ending = daemon.run();
    finish(&daemon, ending);
    Ok(())
}

/// A secret for one gateway of a swarm, and what the roster says of it.
///
/// # Errors
/// The system has no random bytes.
pub fn say_signing_seed() -> Result<(), StartError> {
    let seed = random().map_err(|error| StartError::System { what: "no random bytes", error })?;
    let public = SigningSeed::new(seed).public_key();
    say(&json!({ "signingSeed": Hex(seed).to_string(), "publicKey": Hex(public).to_string() }));
    Ok(())
}

/// Starts the admin thread and waits until it listens for signals.
fn serve_admin(
    listener: std::net::TcpListener,
    mailbox: crate::mailbox::Mailbox,
    drops: SocketDrops,
) -> Result<(), StartError> {
    let (set_up, is_set_up) = sync_channel::<Result<(), Error>>(1);
    let serving = move || {
        let ready = set_up.clone();
        let served = admin::serve(listener, mailbox.clone(), drops, move || drop(ready.send(Ok(()))));
        if let Err(problem) = served {
            error!(%problem, "the admin interface has ended");
            // Before it was ready, that is why nothing starts; after, nobody could stop the daemon any more.
            if set_up.try_send(Err(problem)).is_err() {
                mailbox.stop();
            }
        }
    };
    let system = |what| move |error| StartError::System { what, error };
    thread::Builder::new()
        .name("admin".to_owned())
        .spawn(serving)
        .map_err(system("no thread for the admin interface"))?;
    let set_up = is_set_up.recv().unwrap_or_else(|_| Err(Error::other("its thread has ended")));
    set_up.map_err(system("the admin interface"))
}

/// The last words: what the sink has, so that a test can compare it with what was acknowledged.
fn finish(daemon: &Daemon, ending: Ending) {
    let last = daemon.snapshot();
    let drained = ending == Ending::Drained;
    say(&json!({
        "stopped": true,
        "drained": drained,
        "sink": last.sink,
        "gateway": last.gateway,
        "frames": last.frames,
    }));
    info!(drained, readings = last.sink.readings, sent = last.frames.sent, "stopped");
}

/// One line on standard output. Where nobody listens, nobody hears it.
fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
