//! The reverse proxy on real sockets. Names begin with the row of the list of attacks that they prove.
#![allow(clippy::print_stdout, reason = "figures that were measured")]

mod active_content;
mod answers;
mod command;
mod configuration;
mod dialects;
mod doors;
#[path = "../../../examples/oidc/src/tests/fake.rs"]
#[allow(dead_code, reason = "the example uses all of it")]
mod fake;
mod faults;
mod forward_auth;
mod forward_auth_fronts;
mod forwarding;
mod fronts;
mod identity;
mod kept;
mod keys;
mod limits;
mod logins;
mod logs;
mod manifests;
mod openid;
mod operation;
mod probe;
mod program;
#[path = "../../../tests/common/redis_server.rs"]
mod redis_server;
mod reload;
mod requests;
mod rights;
mod root;
mod settings;
mod silence;
mod smuggling;
mod store;
mod streaming;
mod support;
mod tls;
mod upstreams;
mod warnings;
mod without_cookies;
