//! Image servers: where they listen, how they are reached, and how they are.

mod address;
mod connect;
mod servers;

pub use address::Address;
pub(crate) use servers::{Answer, Servers};
