//! Users: they log in, look at pictures, log out, and try their old cookie.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::header::{CONNECTION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::tally::{Due, Tally};

/// How long a request may take; the store's time-out is a second.
const PATIENCE: Duration = Duration::from_secs(10);
/// For how long the cookie of a logout may work on the other node.
pub(crate) const STALENESS: Duration = Duration::from_secs(2);

const READERS: &str = "/iiif/3/reader/full/9,/0/default.jpg";
const PDF: &str = "/files/handlist.pdf";
const CURATORS: &str = "/iiif/3/curator/full/9,/0/default.jpg";

/// Where users send what they send: each request is a connection of its own, so that the front hands
/// it to the next node.
#[derive(Clone)]
pub(crate) struct Site {
    address: SocketAddr,
    origin: String,
    pub(crate) tally: Tally,
    pub(crate) closing: Arc<AtomicBool>,
}

impl Site {
    pub(crate) fn at(port: u16, tally: Tally) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let closing = Arc::default();
        Self { address, origin: format!("http://localhost:{port}"), tally, closing }
    }

    /// The status, and the access cookie if one was set; or the kind of error.
    async fn send(
        &self,
        method: Method,
        path: &str,
        cookie: Option<&str>,
        form: &'static str,
    ) -> Result<(u16, Option<String>), String> {
        let work = async {
            let stream = TcpStream::connect(self.address).await.map_err(|_| "no connection")?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(|_| "no connection")?;
            tokio::spawn(async move { drop(connection.await) });
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header(HOST, self.origin.trim_start_matches("http://"))
                .header(ORIGIN, &self.origin)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(CONNECTION, "close");
            if let Some(cookie) = cookie {
                request = request.header(COOKIE, cookie);
            }
            let request = request.body(Full::<Bytes>::from(form)).map_err(|_| "no request")?;
            let response: Response<Incoming> =
                sender.send_request(request).await.map_err(|_| "connection lost")?;
            let status = response.status().as_u16();
            let cookies = response.headers().get_all(SET_COOKIE).iter();
            let cookie = cookies
                .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
                .find(|pair| pair.starts_with("iiif=") && pair.len() > "iiif=".len())
                .map(str::to_owned);
            response.into_body().collect().await.map_err(|_| "body cut off")?;
            Ok((status, cookie))
        };
        let answer = tokio::time::timeout(PATIENCE, work).await;
        answer.unwrap_or(Err("no answer")).map_err(|kind: &str| kind.to_owned())
    }

    /// Asks for a picture and counts the answer; true if it was there.
    pub(crate) async fn look(&self, path: &str, cookie: Option<&str>, due: Due) -> bool {
        let phase = self.tally.phase();
        let answer = self.send(Method::GET, path, cookie, "").await.map(|(status, _)| status);
        self.tally.answer(phase, due, &answer)
    }

    /// Logs a reader in; an error counts, and is tried again.
    pub(crate) async fn log_in(&self) -> String {
        loop {
            let phase = self.tally.phase();
            let form = "username=reader&password=reader";
            let answer = self.send(Method::POST, "/auth/login", None, form).await;
            if let Ok((200, Some(cookie))) = answer {
                self.tally.answer(phase, Due::Open, &Ok(200));
                self.tally.logged_in();
                return cookie;
            }
            let kind = answer.map_or_else(|kind| kind, |(status, _)| format!("login {status}"));
            self.tally.answer(phase, Due::Open, &Err(kind));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Logs the user out; an error counts, and is tried again. Only a page that says so is a logout.
    async fn log_out(&self, cookie: &str) {
        loop {
            let phase = self.tally.phase();
            let answer = self.send(Method::POST, "/auth/logout", Some(cookie), "").await;
            if let Ok((200, _)) = answer {
                self.tally.answer(phase, Due::Open, &Ok(200));
                return;
            }
            let kind = answer.map_or_else(|kind| kind, |(status, _)| format!("logout {status}"));
            self.tally.answer(phase, Due::Open, &Err(kind));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn closes(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Logs in, looks, logs out, and tries the old cookie until well after the bound.
pub(crate) async fn come_and_go(site: Site) {
    while !site.closes() {
        let cookie = site.log_in().await;
        for round in 0..30 {
            let path = if round % 3 == 0 { PDF } else { READERS };
            site.look(path, Some(&cookie), Due::Open).await;
            if round % 5 == 0 {
                site.look(CURATORS, Some(&cookie), Due::Closed).await;
                site.look(READERS, None, Due::Closed).await;
            }
            a_moment().await;
        }
        site.log_out(&cookie).await;
        let (out, mut still) = (Instant::now(), Duration::ZERO);
        while out.elapsed() < STALENESS + Duration::from_millis(500) {
            let sent = out.elapsed();
            let due = if sent <= STALENESS { Due::Either } else { Due::Closed };
            if site.look(READERS, Some(&cookie), due).await {
                still = sent;
            }
            a_moment().await;
        }
        site.tally.logged_out(still);
    }
}

/// Stays logged in from the beginning to the end.
pub(crate) async fn stay(site: Site, cookie: String) {
    while !site.closes() {
        site.look(READERS, Some(&cookie), Due::Open).await;
        a_moment().await;
    }
}
