//! Attacks and faults: each test names the rows of the attack table that it tries.

#![allow(unreachable_pub, reason = "nothing outside of a test uses its parts")]

#[path = "../common/mod.rs"]
mod common;

mod html;
mod setup;
mod wire;

mod active_content;
mod aliases;
mod authentication;
mod bearer;
mod codec;
mod descriptions;
mod flows;
mod forwarded;
mod http;
mod info_json;
mod limits;
mod login_paths;
mod origin;
mod path;
mod reliability;
mod session;
mod speculation;
mod streams;
mod tabs;
mod token_page;
mod viewers;
