//! An address that moves: connections that are there stay, and new ones lead elsewhere.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::redis_server::RedisServer;

pub(crate) struct Forwarder {
    address: SocketAddr,
    port: Arc<AtomicU16>,
}

impl Forwarder {
    pub(crate) async fn to(server: &RedisServer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let port = Arc::new(AtomicU16::new(server.port()));
        let leads_to = Arc::clone(&port);
        tokio::spawn(async move {
            loop {
                let Ok((mut client, _)) = listener.accept().await else { continue };
                let port = leads_to.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
                    if let Ok(mut server) = server {
                        // An error is one of the client's connection, too, which ends here.
                        drop(copy_bidirectional(&mut client, &mut server).await);
                    }
                });
            }
        });
        Self { address, port }
    }

    /// New connections lead to this server.
    pub(crate) fn lead_to(&self, server: &RedisServer) {
        self.port.store(server.port(), Ordering::SeqCst);
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}
