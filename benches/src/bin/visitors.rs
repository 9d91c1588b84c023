//! Many who come to the proxy once each, for `benches/http/memory`: `visitors ADDRESS WHAT COUNT [FROM]`,
//! where `WHAT` is
//!
//! - `sessions`: a login by the form, a tile, and of every second one a logout;
//! - `identifiers`: a small image under an identifier of 1000 bytes, each another;
//! - `long`: the same under one of 26 000 bytes, which is refused.
//!
//! They come eight at a time, and are told apart by numbers from `FROM`. What is answered otherwise than it
//! has to be ends the program.

use std::env;
use std::error::Error;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tower_iiif_auth_benches::ours::BASE;
use tower_iiif_auth_benches::request::TILE;

type BoxError = Box<dyn Error + Send + Sync>;

const AT_ONCE: usize = 8;

/// One connection.
struct Visitor(SendRequest<Full<Bytes>>);

impl Visitor {
    async fn new(address: &str) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    async fn ask(
        &mut self,
        request: Request<Full<Bytes>>,
        expected: StatusCode,
    ) -> Result<Response<Bytes>, BoxError> {
        self.0.ready().await?;
        let asked = request.uri().path().to_owned();
        let (head, body) = self.0.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if head.status != expected {
            let asked = asked.get(..80).unwrap_or(&asked);
            return Err(format!("{asked} is {}, not {expected}", head.status).into());
        }
        Ok(Response::from_parts(head, body))
    }

    async fn get(
        &mut self,
        path: &str,
        cookie: &str,
        expected: StatusCode,
    ) -> Result<(), BoxError> {
        let mut request = Request::get(path).header(HOST, "iiif.example");
        if !cookie.is_empty() {
            request = request.header(COOKIE, cookie);
        }
        self.ask(request.body(Full::default())?, expected).await.map(drop)
    }

    async fn session(&mut self, number: usize) -> Result<(), BoxError> {
        let form = "username=ada&password=secret";
        let login = Request::post("/auth/login")
            .header(HOST, "iiif.example")
            .header(ORIGIN, BASE)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into())?;
        let answer = self.ask(login, StatusCode::OK).await?;
        let mut set = answer.headers().get_all(SET_COOKIE).iter();
        let pair = set.find_map(|value| value.to_str().ok()?.split(';').next());
        let cookie = pair.filter(|pair| pair.starts_with("__Host-iiif=")).ok_or("no cookie")?;
        self.get(TILE, cookie, StatusCode::OK).await?;
        if number % 2 == 0 {
            self.get("/auth/logout", cookie, StatusCode::OK).await?;
            self.get(TILE, cookie, StatusCode::UNAUTHORIZED).await?;
        }
        Ok(())
    }

    async fn small(
        &mut self,
        number: usize,
        bytes: usize,
        expected: StatusCode,
    ) -> Result<(), BoxError> {
        let path = format!("/iiif/3/{number:a>bytes$}/full/400,/0/default.jpg");
        self.get(&path, "", expected).await
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut arguments = env::args().skip(1);
    let (Some(address), Some(what), Some(count)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: visitors ADDRESS sessions|identifiers|long COUNT [FROM]".into());
    };
    let count: usize = count.parse()?;
    let from: usize = arguments.next().map_or(Ok(0), |from| from.parse())?;
    let mut all = JoinSet::new();
    for worker in 0..AT_ONCE {
        let (address, what) = (address.clone(), what.clone());
        all.spawn(async move {
            let mut visitor = Visitor::new(&address).await?;
            for number in (from + worker..from + count).step_by(AT_ONCE) {
                match &*what {
                    "sessions" => visitor.session(number).await?,
                    "identifiers" => visitor.small(number, 1000, StatusCode::OK).await?,
                    "long" => visitor.small(number, 26_000, StatusCode::BAD_REQUEST).await?,
                    _ => return Err("WHAT is sessions, identifiers or long".into()),
                }
            }
            Ok::<_, BoxError>(())
        });
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    Ok(())
}
