//! A broker that a test may stop, kill and freeze: Kafka of one node, from jars that somebody has fetched.
#![allow(dead_code, reason = "each test binary uses its part")]

use super::setting;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

const READY: Duration = Duration::from_secs(60);
const CLUSTER: &str = "a2xhaXMtYnJva2VyLTAwMQ";

pub struct OwnBroker {
    jars: PathBuf,
    folder: PathBuf,
    /// Where it listens.
    pub port: u16,
    process: Option<Child>,
}

impl OwnBroker {
    /// A broker that answers. `None` where there are no jars.
    pub fn start() -> Option<Self> {
        let mut broker = Self::prepare(None)?;
        broker.start_again();
        Some(broker)
    }

    /// One that is still to be started, and tells clients to come to `advertised`, by default to itself.
    pub fn prepare(advertised: Option<u16>) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let jars = PathBuf::from(setting("KLAIS_KAFKA_JARS", "it needs the folder of Kafka's jars")?);
        let name = format!("klais-kafka-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let [port, controller] = free_ports();
        let settings = settings(&folder, port, advertised.unwrap_or(port), controller);
        fs::write(folder.join("server.properties"), settings).expect("written");
        let broker = Self { jars, folder, port, process: None };
        let formatted = broker.java("kafka.tools.StorageTool", &["format", "-t", CLUSTER, "-c"]).status();
        assert!(formatted.expect("java runs").success(), "formatted");
        Some(broker)
    }

    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// On the data that it had. Returns when it answers at its own port.
    pub fn start_again(&mut self) {
        self.process = Some(self.java("kafka.Kafka", &[]).spawn().expect("java runs"));
        let client: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", self.brokers()).create().expect("a client");
        client.client().fetch_metadata(None, READY).expect("the broker answers within a minute");
    }

    /// In good order.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        self.reap();
    }

    /// As a crash would. Kafka 4.3 and 4.4 may lose the end of a committed transaction then, for good (`docs/kafka.md`):
    /// they are stopped in good order.
    pub fn kill(&mut self) {
        if self.loses_ends() {
            println!("stopped instead of killed: this version of Kafka may lose the end of a transaction");
            return self.stop();
        }
        self.signal(Signal::SIGKILL);
        self.reap();
    }

    fn loses_ends(&self) -> bool {
        let names = fs::read_dir(&self.jars).expect("the jars").flatten().map(|entry| entry.file_name());
        let mut names = names.filter_map(|name| name.into_string().ok());
        names.any(|name| name.starts_with("kafka_2.13-4.3.") || name.starts_with("kafka_2.13-4.4."))
    }

    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// What a client of that name may write, bytes a second.
    pub fn limit(&self, client: &str, bytes_per_second: u64) {
        let limit = format!("producer_byte_rate={bytes_per_second}");
        // Where the tool is depends on the version.
        let limited =
            ["org.apache.kafka.tools.ConfigCommand", "kafka.admin.ConfigCommand"].iter().any(|tool| {
                let mut command = self.java_without_settings(tool);
                command.args(["--bootstrap-server", &self.brokers(), "--alter", "--add-config", &limit]);
                command.args(["--entity-type", "clients", "--entity-name", client]);
                command.status().expect("java runs").success()
            });
        assert!(limited, "limited");
    }

    fn java(&self, main: &str, arguments: &[&str]) -> Command {
        let mut command = self.java_without_settings(main);
        command.args(arguments).arg(self.folder.join("server.properties"));
        command
    }

    fn java_without_settings(&self, main: &str) -> Command {
        let mut command = Command::new("java");
        command
            .args(["-Xms128m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(self.jars.join("*"))
            .arg(main)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            let id = i32::try_from(process.id()).expect("a process id");
            kill(Pid::from_raw(id), signal).expect("signalled");
        }
    }

    fn reap(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.wait().expect("ended");
        }
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ports that nobody has at this moment.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

fn settings(folder: &Path, port: u16, advertised: u16, controller: u16) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLIENTS://127.0.0.1:{advertised}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
log.dirs={}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
",
        folder.join("data").display()
    )
}
