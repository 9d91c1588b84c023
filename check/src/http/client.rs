use std::collections::HashMap;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use url::Url;

use super::{Answer, Exchange, Request, is_loopback, is_private, origin};

/// How much of a body is read: descriptions of long books are long.
const DESCRIPTION: u64 = 16 << 20;
/// Of pages and results.
const TEXT: u64 = 1 << 20;
/// Of an answer that is looked at for its head alone; and of every one, when all of them together are
/// more than what is kept.
const CONTENT: u64 = 64 << 10;
const KEPT: u64 = 192 << 20;
/// After so many time-outs of one host, one after the other, it is not asked again.
const SILENCE: usize = 4;

pub(crate) struct Settings {
    /// Requests a second; none at all means as fast as it goes.
    pub(crate) rate: Option<f64>,
    pub(crate) timeout: Duration,
    /// Requests in all.
    pub(crate) limit: usize,
    pub(crate) dry: bool,
    /// Where secrets may go.
    pub(crate) own: Vec<String>,
    /// PEM of a further authority.
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) insecure: bool,
    pub(crate) progress: Option<fn(&str)>,
}

pub(crate) struct Client {
    agent: ureq::Agent,
    settings: Settings,
    next: Mutex<Instant>,
    sent: Mutex<Vec<String>>,
    /// Bytes that were kept so far.
    kept: AtomicU64,
    /// Time-outs of each authority since its last answer.
    silent: Mutex<HashMap<String, usize>>,
}

impl Client {
    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let mut tls = ureq::tls::TlsConfig::builder().disable_verification(settings.insecure);
        if let Some(pem) = &settings.authority {
            let certificate = ureq::tls::Certificate::from_pem(pem)
                .map_err(|error| format!("--authority: {error}"))?;
            tls = tls.root_certs(ureq::tls::RootCerts::new_with_certs(&[certificate]));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(settings.timeout))
            .allow_non_standard_methods(true)
            .user_agent(concat!("iiif-auth-check/", env!("CARGO_PKG_VERSION")))
            .accept("")
            .tls_config(tls.build())
            .proxy(None)
            .build();
        let (next, sent) = (Mutex::new(Instant::now()), Mutex::default());
        let (kept, silent) = (AtomicU64::new(0), Mutex::default());
        Ok(Self { agent: config.new_agent(), settings, next, sent, kept, silent })
    }

    /// What was sent, or would be, line by line.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().map(|sent| sent.clone()).unwrap_or_default()
    }

    pub(crate) fn is_own(&self, url: &str) -> bool {
        origin(url).is_some_and(|origin| self.settings.own.contains(&origin))
    }

    pub(crate) fn send(&self, request: Request) -> Exchange {
        let outcome = self.allowed(&request).and_then(|()| self.exchange(&request));
        Exchange { request, outcome }
    }

    /// Whether it may be sent at all.
    fn allowed(&self, request: &Request) -> Result<(), String> {
        let url = Url::parse(&request.url).map_err(|_| "not sent: no absolute URL".to_owned())?;
        let own = self.is_own(&request.url);
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("not sent: {} is no web address", url.scheme()));
        }
        if !own && url.scheme() == "http" {
            return Err("not sent: plain http to another server".to_owned());
        }
        if !own && (is_loopback(&url) || is_private(&url)) {
            return Err("not sent: an address inside, on another server's word".to_owned());
        }
        // What is decided here and what is asked there are read by two parsers.
        let asked = request.url.parse::<http::Uri>().ok();
        let host = asked.as_ref().and_then(http::Uri::host).map(str::to_ascii_lowercase);
        if host.as_deref() != url.host_str() {
            return Err("not sent: its host can be read in two ways".to_owned());
        }
        if request.secret && !own {
            let origin = url.origin().ascii_serialization();
            return Err(format!(
                "not sent: it carries the login's secrets, and {origin} is not the server's own (--own-origin {origin})"
            ));
        }
        let silent = self.silent.lock().map_err(|_| "not sent: a panic before".to_owned())?;
        if silent.get(url.authority()).is_some_and(|times| *times >= SILENCE) {
            return Err("not sent: the server did not answer several times".to_owned());
        }
        drop(silent);
        let mut sent = self.sent.lock().map_err(|_| "not sent: a panic before".to_owned())?;
        if sent.len() >= self.settings.limit {
            return Err("not sent: enough requests (--limit)".to_owned());
        }
        let line = line(request);
        if let Some(progress) = self.settings.progress {
            progress(&line);
        }
        sent.push(line);
        if self.settings.dry && !request.description {
            return Err("not sent: dry run".to_owned());
        }
        Ok(())
    }

    fn exchange(&self, request: &Request) -> Result<Answer, String> {
        self.wait();
        let mut builder = ureq::http::Request::builder().method(request.method).uri(&*request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let result = match &request.body {
            Some(body) => {
                self.agent.run(builder.body(body.as_str()).map_err(|error| error.to_string())?)
            }
            None => self.agent.run(builder.body(()).map_err(|error| error.to_string())?),
        };
        self.note_silence(request, matches!(&result, Err(ureq::Error::Timeout(_))));
        let response = result.map_err(|error| error.to_string())?;
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let status = response.status().as_u16();
        let mut answer = Answer { status, headers, body: Vec::new(), cut: false };
        let kind = answer.media_type();
        let text = kind.contains("json") || kind.starts_with("text/") || kind.is_empty();
        let most = match (text, request.description) {
            _ if self.kept.load(Ordering::Relaxed) > KEPT => CONTENT,
            (true, true) => DESCRIPTION,
            (true, false) => TEXT,
            (false, _) => CONTENT,
        };
        let reader = response.into_body().into_reader();
        let read = reader.take(most + 1).read_to_end(&mut answer.body);
        self.kept.fetch_add(answer.body.len() as u64, Ordering::Relaxed);
        answer.cut = read.is_err() || answer.body.len() as u64 > most;
        answer.body.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(answer)
    }

    fn note_silence(&self, request: &Request, silent: bool) {
        let (Ok(url), Ok(mut all)) = (Url::parse(&request.url), self.silent.lock()) else { return };
        let times = all.entry(url.authority().to_owned()).or_default();
        *times = if silent { *times + 1 } else { 0 };
    }

    /// Never faster than was said.
    fn wait(&self) {
        let Some(rate) = self.settings.rate else { return };
        let Ok(mut next) = self.next.lock() else { return };
        let now = Instant::now();
        std::thread::sleep(next.saturating_duration_since(now));
        *next = now.max(*next) + Duration::from_secs_f64(1.0 / rate);
    }
}

/// A request in one line, without its secrets.
fn line(request: &Request) -> String {
    // What a form sends by GET, and a token in a query, is a secret, too.
    let url = match request.url.split_once('?') {
        Some((url, _)) if request.secret => format!("{url}?(secret)"),
        _ => request.url.clone(),
    };
    let mut line = format!("{} {url}", request.method);
    for (name, value) in &request.headers {
        let secret = request.secret && matches!(&**name, "cookie" | "authorization");
        let value = if secret { "(secret)" } else { value };
        line = format!("{line}  {name}: {value}");
    }
    if request.body.is_some() {
        line.push_str("  (a form)");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new(Settings {
            rate: None,
            timeout: Duration::from_secs(1),
            limit: 100,
            dry: true,
            own: vec!["https://own.example".to_owned()],
            authority: None,
            insecure: false,
            progress: None,
        })
        .expect("a client")
    }

    fn why(url: &str, secret: bool) -> String {
        let request = Request { secret, ..Request::get(url) };
        client().send(request).outcome.err().unwrap_or_default()
    }

    #[test]
    fn nothing_leads_inside_or_carries_secrets_away() {
        for url in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://100.64.0.1/",
            "https://169.254.169.254/",
            "https://0.0.0.0/",
            "https://localhost/",
            "https://a.localhost/",
        ] {
            assert!(why(url, false).contains("an address inside"), "{url}: {}", why(url, false));
        }
        for url in ["http://other.example/", "file:///etc/passwd", "ftp://own.example/"] {
            assert!(why(url, false).starts_with("not sent: "), "{url}");
            assert!(!why(url, false).contains("dry run"), "{url}");
        }
        for url in [
            "https://other.example/",
            "https://own.example.other.example/",
            "https://own.example@other.example/",
            "https://own.example:8443/",
            "http://own.example/",
        ] {
            assert!(!why(url, true).contains("dry run"), "{url}: {}", why(url, true));
        }
        // What two parsers read differently goes nowhere.
        for url in [
            "https://own.example\\@other.example/",
            "https://other.example\\@own.example/",
            "https://own.exa\tmple/",
            "https://ow%6e.example/",
        ] {
            assert!(why(url, true).contains("not sent: "), "{url}");
            assert!(!why(url, true).contains("dry run"), "{url}: {}", why(url, true));
        }
        assert!(why("https://own.example/in?x=1", true).contains("dry run"));
    }

    #[test]
    fn what_is_told_of_a_request_holds_no_secret() {
        let request = Request { secret: true, ..Request::get("https://own.example/in?password=x") };
        let request = request.with("cookie", "a=b").with("authorization", "Bearer c");
        let line = line(&request);
        assert!(!line.contains("password=x") && !line.contains("a=b"), "{line}");
        assert!(line.contains("https://own.example/in?(secret)"), "{line}");
    }
}
