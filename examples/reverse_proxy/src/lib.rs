//! IIIF authorization in front of an image server that is already there.

pub mod config;
