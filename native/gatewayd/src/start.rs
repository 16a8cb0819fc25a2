//! From a configuration file to a running loop, and from there to the end.

use crate::clock::{Clock, monotonic_nanos};
use crate::config::{Config, XdpMode};
use crate::daemon::{Daemon, Ending, Parts};
use crate::error::StartError;
use crate::mailbox::mailbox;
use crate::socket_drops::SocketDrops;
use crate::turnaround::Turnaround;
use crate::{admin, endpoint};
use klais_gateway::Gateway;
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
    let dam_config = gateway_config.dam.clone();
    let gateway = Gateway::new(gateway_config)
        .map_err(|error| wrong(("policy".to_owned(), format!("no gateway can be made of it: {error:?}"))))?;
    let reason = where_the_dam_runs(&config)?;
    let turnaround = Turnaround::new(config.devices).ok_or_else(|| StartError::System {
        what: "the turnaround histogram cannot be made",
        error: Error::other("bounds"),
    })?;
    let parts = Parts { socket, inbox, gateway, dam_config, reason, clock, turnaround };
    let mut daemon = Daemon::new(config, parts);

    serve_admin(admin_socket, outside, drops)?;
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

/// The dam runs in user space: why, where that is not what was asked for.
fn where_the_dam_runs(config: &Config) -> Result<Option<String>, StartError> {
    const PROBLEM: &str = "this version does not attach the filter";
    match (config.xdp, &config.interface) {
        (XdpMode::Off, _) => Ok(None),
        (XdpMode::Auto, None) => Ok(Some("no interface is configured".to_owned())),
        (XdpMode::Auto, Some(_)) => {
            warn!(reason = PROBLEM, "the dam runs in user space");
            Ok(Some(PROBLEM.to_owned()))
        }
        (XdpMode::Native | XdpMode::Generic, interface) => Err(StartError::Xdp {
            interface: interface.clone().unwrap_or_default(),
            problem: PROBLEM.to_owned(),
            advice: "set xdp to auto or off, which run the dam in user space",
        }),
    }
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
