//! The same behaviour on axum, hyper and tonic, over real sockets.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../examples/tonic/gallery.rs"]
mod gallery;
#[path = "../suite/mod.rs"]
mod suite;

mod axum;
mod hyper;
mod tonic;
