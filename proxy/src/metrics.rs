//! What is counted. Labels have few values: no identifier, no name of a user is among them.

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tower_iiif_auth::observe::Observation;

/// Why the image server gave no answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Connect,
    ConnectTimeout,
    HeaderTimeout,
    Answer,
}

/// What came of a login.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LoginOutcome {
    Granted,
    Wrong,
    Limited,
    Declined,
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    place: &'static str,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    bytes: Family<RouteLabels, Counter>,
    in_flight: Gauge,
    decisions: Family<DecisionLabels, Counter>,
    decision_time: Histogram,
    faults: Family<KindLabels, Counter>,
    logins: Family<KindLabels, Counter>,
    asked: Family<KindLabels, Counter>,
    reloads: Family<KindLabels, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("iiif_proxy");
        let requests = Family::default();
        registry.register("requests", "Requests answered", requests.clone());
        let durations = Family::new_with_constructor(histogram as fn() -> Histogram);
        registry.register_with_unit(
            "request_duration",
            "Time until the last byte of an answer",
            Unit::Seconds,
            durations.clone(),
        );
        let bytes = Family::default();
        registry.register_with_unit("response", "Bodies sent", Unit::Bytes, bytes.clone());
        let in_flight = Gauge::default();
        registry.register("requests_in_flight", "Requests being answered", in_flight.clone());
        let decisions = Family::default();
        registry.register("decisions", "Who was let through, and why not", decisions.clone());
        let quick = [0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1.0];
        let decision_time = Histogram::new(quick);
        registry.register_with_unit(
            "decision_duration",
            "Time until a decision",
            Unit::Seconds,
            decision_time.clone(),
        );
        let faults = Family::default();
        registry.register("upstream_faults", "Answers that the image server owes", faults.clone());
        let logins = Family::default();
        registry.register("logins", "What came of the proxy's own logins", logins.clone());
        let asked = Family::default();
        registry.register("forward_auth", "Answers to fronts that ask", asked.clone());
        let reloads = Family::default();
        registry.register("reloads", "Configurations taken up while running", reloads.clone());
        Self {
            registry,
            requests,
            durations,
            bytes,
            in_flight,
            decisions,
            decision_time,
            faults,
            logins,
            asked,
            reloads,
        }
    }

    pub(crate) fn reloaded(&self, taken: bool) {
        let kind = if taken { "taken" } else { "refused" };
        self.reloads.get_or_create(&KindLabels { kind }).inc();
    }

    pub(crate) fn decided(&self, seen: &Observation<'_>) {
        let labels = DecisionLabels {
            place: seen.place().as_str(),
            outcome: seen.outcome().as_str(),
            reason: seen.reason().as_str(),
        };
        self.decisions.get_or_create(&labels).inc();
        self.decision_time.observe(seen.elapsed().as_secs_f64());
    }

    pub(crate) fn begun(&self) {
        self.in_flight.inc();
    }

    pub(crate) fn ended(
        &self,
        route: &str,
        method: &Method,
        status: StatusCode,
        duration: Duration,
        bytes: u64,
    ) {
        self.in_flight.dec();
        let labels = RequestLabels {
            route: route.to_owned(),
            method: method_name(method),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { route: labels.route };
        self.durations.get_or_create(&labels).observe(duration.as_secs_f64());
        self.bytes.get_or_create(&labels).inc_by(bytes);
    }

    pub(crate) fn upstream_failed(&self, fault: Fault) {
        let kind = match fault {
            Fault::Connect => "connect",
            Fault::ConnectTimeout => "connect_timeout",
            Fault::HeaderTimeout => "header_timeout",
            Fault::Answer => "answer",
        };
        self.faults.get_or_create(&KindLabels { kind }).inc();
    }

    pub(crate) fn login(&self, outcome: LoginOutcome) {
        let kind = match outcome {
            LoginOutcome::Granted => "granted",
            LoginOutcome::Wrong => "wrong",
            LoginOutcome::Limited => "limited",
            LoginOutcome::Declined => "declined",
            LoginOutcome::Nobody => "nobody",
        };
        self.logins.get_or_create(&KindLabels { kind }).inc();
    }

    pub(crate) fn forward_auth(&self, status: StatusCode) {
        let kind = match status {
            StatusCode::OK => "yes",
            StatusCode::UNAUTHORIZED => "login",
            _ => "no",
        };
        self.asked.get_or_create(&KindLabels { kind }).inc();
    }

    /// As Prometheus reads it.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

/// Clients may invent methods.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
