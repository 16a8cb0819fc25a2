//! A proxy in front of a broker that can hold back the end of a transaction.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// EndTxn among the requests of Kafka's protocol.
const END_TRANSACTION: [u8; 2] = [0, 26];
/// What a request is at most here.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// What happens to the connection over which a held request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// It stays, and is silent.
    Waits,
    /// It is cut on the client's side; the broker's side stays.
    IsCut,
}

/// A request on its way, and the connection over which it is to arrive.
pub struct Held {
    request: Vec<u8>,
    broker: TcpStream,
}

impl Held {
    /// It arrives now.
    pub fn release(mut self) {
        self.broker.write_all(&self.request).expect("the broker takes it");
    }
}

/// What is to be done with the next end of a transaction.
type Plan = Mutex<Option<(Client, Sender<Held>)>>;

pub struct Proxy {
    pub port: u16,
    next: Arc<Plan>,
}

impl Proxy {
    /// Listens, and connects whoever comes with the broker at `broker_port`, which may come up later.
    pub fn start(listener: TcpListener, broker_port: u16) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let next = Arc::<Plan>::default();
        let plan = Arc::clone(&next);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(broker)) = (client, TcpStream::connect(("127.0.0.1", broker_port)))
                else {
                    continue;
                };
                let plan = Arc::clone(&plan);
                let (to_client, from_broker) =
                    (client.try_clone().expect("a clone"), broker.try_clone().expect("a clone"));
                thread::spawn(move || requests(client, broker, &plan));
                thread::spawn(move || answers(from_broker, to_client));
            }
        });
        Self { port, next }
    }

    /// Holds the next end of a transaction back: it comes out of here.
    pub fn hold(&self, client: Client) -> Receiver<Held> {
        let (sender, receiver) = channel();
        *self.next.lock().expect("no panic") = Some((client, sender));
        receiver
    }
}

fn requests(mut client: TcpStream, mut broker: TcpStream, plan: &Plan) {
    let mut holds = false;
    while let Ok(request) = read_request(&mut client) {
        if request.get(4..6) == Some(&END_TRANSACTION) {
            let held = plan.lock().expect("no panic").take();
            if let Some((what, sender)) = held {
                let kept = broker.try_clone().expect("a clone");
                holds = true;
                sender.send(Held { request, broker: kept }).expect("the test waits for it");
                if what == Client::IsCut {
                    client.shutdown(Shutdown::Both).expect("cut");
                    return;
                }
                continue;
            }
        }
        if broker.write_all(&request).is_err() {
            break;
        }
    }
    if !holds {
        let _ = broker.shutdown(Shutdown::Both);
    }
}

/// The length, and as many bytes.
fn read_request(from: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = vec![0; 4];
    from.read_exact(&mut request)?;
    let length = request.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    if length > REQUEST_BYTES_MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    request.resize(4 + length, 0);
    let body = request.get_mut(4..).ok_or(ErrorKind::InvalidData)?;
    from.read_exact(body)?;
    Ok(request)
}

fn answers(mut broker: TcpStream, mut client: TcpStream) {
    let mut buffer = vec![0; 64 << 10];
    // An answer to a request that was held finds nobody any more; it is read all the same.
    while let Ok(bytes @ 1..) = broker.read(&mut buffer) {
        let _ = client.write_all(&buffer[..bytes]);
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// Longer than a broker needs to do what a request says.
pub fn settle() {
    thread::park_timeout(Duration::from_millis(500));
}
