//! The front: hands each connection to the next node in the round.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
pub(crate) struct Front(Arc<Round>);

struct Round {
    nodes: Vec<Place>,
    next: AtomicUsize,
}

struct Place {
    address: SocketAddr,
    in_use: AtomicBool,
    open: AtomicUsize,
}

impl Front {
    pub(crate) async fn start(port: u16, nodes: &[SocketAddr]) -> Self {
        let place = |address: &SocketAddr| Place {
            address: *address,
            in_use: AtomicBool::new(true),
            open: AtomicUsize::new(0),
        };
        let nodes = nodes.iter().map(place).collect();
        let front = Self(Arc::new(Round { nodes, next: AtomicUsize::new(0) }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free port");
        let accepting = front.clone();
        tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let front = accepting.clone();
                tokio::spawn(async move { front.hand_on(client).await });
            }
        });
        front
    }

    async fn hand_on(&self, mut client: TcpStream) {
        let nodes = &self.0.nodes;
        // A node that does not listen is passed over.
        for _ in 0..2 * nodes.len() {
            let place = &nodes[self.0.next.fetch_add(1, Ordering::SeqCst) % nodes.len()];
            place.open.fetch_add(1, Ordering::SeqCst);
            if place.in_use.load(Ordering::SeqCst) {
                if let Ok(mut node) = TcpStream::connect(place.address).await {
                    // An error is one of the client's connection, too, which ends here.
                    drop(copy_bidirectional(&mut client, &mut node).await);
                    place.open.fetch_sub(1, Ordering::SeqCst);
                    return;
                }
            }
            place.open.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Takes a node out of the round, and waits until it has nothing to do.
    pub(crate) async fn take_out(&self, node: usize) {
        let place = &self.0.nodes[node];
        place.in_use.store(false, Ordering::SeqCst);
        while place.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn put_back(&self, node: usize) {
        self.0.nodes[node].in_use.store(true, Ordering::SeqCst);
    }
}
