//! Chromium and its developer tools: a process of its own, a fresh profile, and a socket that takes
//! commands in JSON.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// For one command.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where it may be, if nobody says.
const PROGRAMS: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "microsoft-edge-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const FLAGS: [&str; 13] = [
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-popup-blocking",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--password-store=basic",
    "--use-mock-keychain",
];

pub(super) struct Options {
    pub(super) program: Option<PathBuf>,
    pub(super) visible: bool,
    pub(super) ignores_certificates: bool,
    pub(super) blocks_cookies: bool,
}

pub(super) struct Chromium {
    child: Child,
    socket: WebSocket<TcpStream>,
    count: u64,
    _profile: Profile,
}

/// A page that takes commands.
pub(super) struct Tab {
    pub(super) target: String,
    session: String,
}

impl Chromium {
    pub(super) fn launch(options: &Options) -> Result<Self, Failure> {
        let profile = Profile::new(options.blocks_cookies)?;
        let mut child = match &options.program {
            Some(program) => spawn(&program.to_string_lossy(), options, &profile)?,
            None => PROGRAMS
                .iter()
                .find_map(|program| spawn(program, options, &profile).ok())
                .ok_or("no Chromium is found: --browser=PATH")?,
        };
        match connect(&mut child) {
            Ok(socket) => Ok(Self { child, socket, count: 0, _profile: profile }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Sends a command and waits for its answer. What else comes in the meantime is of no interest.
    fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: &Value,
    ) -> Result<Value, Failure> {
        self.count += 1;
        let mut command = json!({ "id": self.count, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        self.socket.send(Message::text(command.to_string()))?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let text = match self.socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(_) => continue,
                Err(tungstenite::Error::Io(error)) if is_pause(&error) => continue,
                Err(error) => return Err(error.into()),
            };
            let mut answer: Value = serde_json::from_str(&text)?;
            if answer["id"] == self.count {
                if let Some(error) = answer.get("error") {
                    return Err(format!("{method}: {}", error["message"]).into());
                }
                return Ok(answer["result"].take());
            }
        }
        Err(format!("{method}: no answer").into())
    }

    /// Whether the process is still there.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn open(&mut self, url: &str) -> Result<Tab, Failure> {
        let made = self.call(None, "Target.createTarget", &json!({ "url": url }))?;
        let tab = self.attach(made["targetId"].as_str().unwrap_or_default())?;
        let until = Instant::now() + PATIENCE;
        // Not the empty page that stands there first.
        let ready =
            "String(document.readyState === \"complete\" && location.href !== \"about:blank\")";
        while Instant::now() < until {
            if self.text(&tab, ready, false)? == "true" {
                return Ok(tab);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("{url} does not load").into())
    }

    pub(super) fn attach(&mut self, target: &str) -> Result<Tab, Failure> {
        let params = json!({ "targetId": target, "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", &params)?;
        let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        Ok(Tab { target: target.to_owned(), session })
    }

    /// The pages that are open, with their addresses.
    pub(super) fn pages(&mut self) -> Result<Vec<(String, String)>, Failure> {
        let all = self.call(None, "Target.getTargets", &json!({}))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = all["targetInfos"].as_array().cloned().unwrap_or_default();
        let pages = all.iter().filter(|target| target["type"] == "page");
        Ok(pages.map(|target| (text(&target["targetId"]), text(&target["url"]))).collect())
    }

    /// What a script of the page says, as text.
    pub(super) fn text(&mut self, tab: &Tab, script: &str, waits: bool) -> Result<String, Failure> {
        let params = json!({ "expression": script, "awaitPromise": waits, "returnByValue": true, "userGesture": true });
        let said = self.call(Some(&tab.session), "Runtime.evaluate", &params)?;
        Ok(said["result"]["value"].as_str().unwrap_or_default().to_owned())
    }

    /// A click of the mouse: browsers tell it from a script's.
    pub(super) fn click(&mut self, tab: &Tab, x: f64, y: f64) -> Result<(), Failure> {
        self.call(Some(&tab.session), "Page.bringToFront", &json!({}))?;
        for (kind, button) in
            [("mouseMoved", "none"), ("mousePressed", "left"), ("mouseReleased", "left")]
        {
            let params = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": 1 });
            self.call(Some(&tab.session), "Input.dispatchMouseEvent", &params)?;
        }
        Ok(())
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.call(None, "Browser.close", &json!({}));
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_pause(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

fn spawn(program: &str, options: &Options, profile: &Profile) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.args(FLAGS).arg(format!("--user-data-dir={}", profile.0.display()));
    if !options.visible {
        command.arg("--headless");
    }
    if options.ignores_certificates {
        command.arg("--ignore-certificate-errors");
    }
    // Chromium has no sandbox for root.
    if is_root() {
        command.arg("--no-sandbox");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
}

/// To the address that it prints when it is ready.
fn connect(child: &mut Child) -> Result<WebSocket<TcpStream>, Failure> {
    let mut lines = BufReader::new(child.stderr.take().ok_or("no output")?).lines();
    let url = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            line.strip_prefix("DevTools listening on ").map(|url| url.trim().to_owned())
        })
        .ok_or("the browser ended before it was ready (a window needs a desktop)")?;
    // It goes on printing, and must not wait for a reader.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let address = url::Url::parse(&url)?;
    let host = address.host_str().unwrap_or("127.0.0.1");
    let stream = TcpStream::connect((host, address.port().ok_or("no port")?))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (socket, _) = tungstenite::client(&url, stream).map_err(|error| error.to_string())?;
    // From here on a pause is no error: each command has a patience of its own.
    socket.get_ref().set_read_timeout(Some(Duration::from_millis(500)))?;
    Ok(socket)
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// A fresh one for each walk, gone afterwards.
struct Profile(PathBuf);

impl Profile {
    fn new(blocks_cookies: bool) -> std::io::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("iiif-auth-check-{}-{count}", std::process::id()));
        std::fs::create_dir_all(path.join("Default"))?;
        let mode = u8::from(blocks_cookies);
        let preferences = format!("{{\"profile\":{{\"cookie_controls_mode\":{mode}}}}}");
        std::fs::write(path.join("Default/Preferences"), preferences)?;
        Ok(Self(path))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
