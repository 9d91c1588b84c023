//! What the examples share: `images`, an IIIF image server worth protecting.
//!
//! Nothing in this folder knows of access control. Each example puts the
//! layers of this crate around the routes it finds here.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each example includes this folder as a module and uses another part of it"
)]

pub mod images;
