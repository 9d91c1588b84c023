//! What `tonic-prost-build` makes of this file, written by hand so that no `protoc` is needed:
//!
//! ```proto
//! package gallery;
//! service Gallery {
//!     rpc Titles(Nothing) returns (Listing);
//!     rpc Describe(Picture) returns (Description);
//! }
//! ```
#![allow(dead_code, unreachable_pub, reason = "generated code would have this, too")]

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::client;
use tonic::server::{Grpc, NamedService};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Nothing {}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Listing {
    #[prost(string, repeated, tag = "1")]
    pub titles: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Picture {
    #[prost(string, tag = "1")]
    pub id: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Description {
    #[prost(string, tag = "1")]
    pub text: String,
}

/// The server's side.
#[derive(Clone, Debug)]
pub struct GalleryServer;

impl GalleryServer {
    async fn answer(request: http::Request<Body>) -> http::Response<Body> {
        let titles = async |_: Request<Nothing>| {
            Ok::<_, Status>(Response::new(Listing { titles: vec!["The map".to_owned()] }))
        };
        let describe = async |picture: Request<Picture>| {
            let text = format!("{}: drawn by hand in 1923", picture.into_inner().id);
            Ok::<_, Status>(Response::new(Description { text }))
        };
        match request.uri().path() {
            "/gallery.Gallery/Titles" => {
                Grpc::new(ProstCodec::default()).unary(service_fn(titles), request).await
            }
            "/gallery.Gallery/Describe" => {
                Grpc::new(ProstCodec::default()).unary(service_fn(describe), request).await
            }
            _ => Status::unimplemented("").into_http(),
        }
    }
}

impl NamedService for GalleryServer {
    const NAME: &'static str = "gallery.Gallery";
}

impl tower::Service<http::Request<Body>> for GalleryServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(Self::answer(request).await) })
    }
}

/// The client's side.
#[derive(Clone, Debug)]
pub struct GalleryClient(client::Grpc<Channel>);

impl GalleryClient {
    pub fn new(channel: Channel) -> Self {
        Self(client::Grpc::new(channel))
    }

    pub async fn titles(&mut self, request: Request<Nothing>) -> Result<Listing, Status> {
        self.call(request, "/gallery.Gallery/Titles").await
    }

    pub async fn describe(&mut self, request: Request<Picture>) -> Result<Description, Status> {
        self.call(request, "/gallery.Gallery/Describe").await
    }

    /// Calls the method at `path`.
    pub async fn call<Q, A>(&mut self, request: Request<Q>, path: &'static str) -> Result<A, Status>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::default());
        self.0.unary(request, path, codec).await.map(Response::into_inner)
    }
}
