//! A daemon in a process of its own, and devices that talk to it over loopback.
#![allow(dead_code, reason = "every test binary uses its own part")]
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

use klais_burst_sync::wire::{self, MasterKeys};
use klais_burst_sync::{Admit, Cookie, Data, Defer, Frame, Hello, Lane, Term};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

pub const KEY: [u8; 16] = [7; 16];
pub const NEXT_KEY: [u8; 16] = [8; 16];
/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits for what must not.
pub const A_WHILE: Duration = Duration::from_millis(200);

pub fn hex(key: [u8; 16]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A gateway that admits, commits every millisecond, and whose sink decides at once.
pub fn config() -> Value {
    json!({
        "schema": "klais.gatewayd/1", "gateway": 0, "gateways": 1,
        "listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "interface": null, "xdp": "off",
        "devices": 1_000, "masterKey": hex(KEY), "keyEpoch": 0, "assumeOnline": false,
        "originNanos": null, "timeScale": 1, "poll": "sleep",
        "policy": {
            "gateways": 1, "devices": 1_000, "keyLow": 1, "keyHigh": 2, "admission": "slots",
            "deduplicate": true, "capacityPerSecond": 100_000, "sessionsPerSecond": 10_000,
            "slotWindowMicros": 10_000_000, "overbookPermille": 1_000, "sinkQueueReadings": 1_000_000,
            "undecidedFramesMax": 9_007_199_254_740_991_u64, "backfillQueueReadings": 100_000,
            "commitIntervalMicros": 1_000, "batchReadingsMax": 10_000, "shards": 1,
            "batchesInFlightMax": 1, "bufferReadings": 1_000, "frameReadings": 50
        },
        "sink": { "kind": "mock", "commitMicros": 0, "readingsPerSecond": 0 }
    })
}

/// A configuration file of this test process.
pub fn config_file(text: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("klais-gatewayd-{}-{}.json", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).expect("a configuration file");
    path
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    pub child: Child,
    out: BufReader<ChildStdout>,
    pub ready: Value,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
    file: PathBuf,
}

impl Daemon {
    pub fn start(config: &Value) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_klais-gatewayd")), config)
    }

    /// `command` ends in the daemon's path; in a namespace, say.
    pub fn start_by(mut command: Command, config: &Value) -> Self {
        let file = config_file(&config.to_string());
        command.arg("--config").arg(&file).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the daemon");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let ready = line(&mut out);
        let address = |key: &str| ready[key].as_str().and_then(|a| a.parse().ok()).expect("an address");
        let (listen, admin) = (address("listen"), address("admin"));
        Self { child, out, listen, admin, ready, file }
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("a signal");
    }

    /// Waits for its end: how, and its last words.
    pub fn end(mut self) -> (ExitStatus, Option<Value>) {
        let mut last = String::new();
        self.out.read_to_string(&mut last).expect("its output");
        let status = self.child.wait().expect("its end");
        (status, serde_json::from_str(last.trim()).ok())
    }

    pub fn stats(&self) -> Value {
        let (status, body) = self.get("/stats");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        self.http("GET", path, None)
    }

    pub fn patch(&self, body: &Value) -> (u16, Value) {
        let (status, body) = self.http("PATCH", "/config", Some(&body.to_string()));
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    pub fn http(&self, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
        let stream = TcpStream::connect(self.admin).expect("the admin port");
        exchange(stream, method, path, body)
    }

    /// Asks for the statistics until they are as they must become.
    pub fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..PATIENCE.as_millis() / 10 {
            let stats = self.stats();
            if holds(&stats) {
                return stats;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{what}: {:#}", self.stats());
    }
}

/// One request over a connection of its own.
pub fn exchange(mut stream: TcpStream, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let body = body.unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    (status, body.to_owned())
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Runs a daemon that must not start: its exit code and what it says on standard error.
pub fn refused(config: &str) -> (i32, String) {
    let file = config_file(config);
    let command = Command::new(env!("CARGO_BIN_EXE_klais-gatewayd"));
    let answer = refused_by(command, &file);
    let _ = std::fs::remove_file(file);
    answer
}

pub fn refused_by(mut command: Command, file: &std::path::Path) -> (i32, String) {
    let output = command.arg("--config").arg(file).env("RUST_LOG", "off").output().expect("the daemon");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.stdout.is_empty(), "it was ready: {said}");
    (output.status.code().expect("an exit code"), said)
}

fn line(out: &mut impl BufRead) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line:?}"))
}

/// A device's socket and key.
pub struct Device {
    pub id: u32,
    pub socket: UdpSocket,
    pub keys: MasterKeys,
    pub key_epoch: u8,
    /// Of the last ADMIT.
    pub term: Cell<Term>,
}

impl Device {
    pub fn new(id: u32, gateway: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        Self::over(id, socket, gateway)
    }

    pub fn over(id: u32, socket: UdpSocket, gateway: SocketAddr) -> Self {
        socket.connect(gateway).expect("an address");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let term = Cell::new(Term::default());
        Self { id, socket, keys: MasterKeys::new(KEY, 0), key_epoch: 0, term }
    }

    pub fn bytes(&self, frame: &Frame) -> Vec<u8> {
        let payload = match frame {
            Frame::Data(data) => vec![0x5A; usize::from(data.count) * 12],
            _ => Vec::new(),
        };
        let key = self.keys.device_key(self.id, self.key_epoch).expect("a key");
        let mut out = vec![0; wire::FRAME_BYTES_MAX];
        let length = wire::encode(frame, self.id, self.key_epoch, &key, &payload, &mut out).expect("a frame");
        out.truncate(length);
        out
    }

    pub fn send(&self, frame: &Frame) {
        self.socket.send(&self.bytes(frame)).expect("sent");
    }

    /// The next frame, which must be signed for this device.
    pub fn receive(&self) -> Frame {
        self.try_receive(PATIENCE).expect("a frame within the time")
    }

    pub fn try_receive(&self, within: Duration) -> Option<Frame> {
        self.socket.set_read_timeout(Some(within)).expect("a timeout");
        let mut bytes = [0; 2_048];
        let length = self.socket.recv(&mut bytes).ok()?;
        let parsed = wire::open(&bytes[..length], &self.keys).expect("a signed frame");
        assert_eq!((parsed.device, parsed.key_epoch), (self.id, self.key_epoch));
        if let Frame::Admit(admit) = parsed.frame {
            self.term.set(admit.term);
        }
        Some(parsed.frame)
    }

    /// What it calls the gateway that it talks to.
    fn gateway(&self) -> u32 {
        self.socket.peer_addr().map_or(0, |address| wire::gateway_number(address.ip()))
    }

    pub fn hello(&self, session: u16) -> Frame {
        Frame::Hello(Hello {
            session,
            epoch: 0,
            backlog: 0,
            cookie: None,
            acked: (0, 0),
            gateway: self.gateway(),
        })
    }

    pub fn hello_with(&self, session: u16, cookie: Cookie) -> Frame {
        Frame::Hello(Hello {
            session,
            epoch: 0,
            backlog: 0,
            cookie: Some(cookie),
            acked: (0, 0),
            gateway: self.gateway(),
        })
    }

    /// Opens a session.
    pub fn connect(&self, session: u16) -> Admit {
        self.send(&self.hello(session));
        match self.receive() {
            Frame::Admit(admit) => admit,
            other => panic!("not admitted: {other:?}"),
        }
    }

    /// Live readings from `first` on, behind what was sent before.
    pub fn readings(&self, session: u16, first: u32, count: u16) -> Frame {
        Frame::Data(Data {
            session,
            lane: Lane::Live,
            prev: first,
            first,
            count,
            stride: 1,
            due_millis: 0,
            gap: false,
            round: 0,
            term: self.term.get().echo(),
        })
    }

    /// Sends readings and waits for their acknowledgement: the mark.
    pub fn deliver(&self, session: u16, first: u32, count: u16) -> u32 {
        self.send(&self.readings(session, first, count));
        match self.receive() {
            Frame::Ack { lane: Lane::Live, mark, .. } => mark,
            other => panic!("not acknowledged: {other:?}"),
        }
    }

    pub fn deferred(&self) -> Defer {
        match self.receive() {
            Frame::Defer(defer) => defer,
            other => panic!("not deferred: {other:?}"),
        }
    }
}
