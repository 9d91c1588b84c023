//! The page of the viewer that is played, on this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

const PAGE: &str = include_str!("viewer.html");

/// Its origin. It is of another site than the server: `localhost` and `127.0.0.1` are two.
pub(super) fn serve(target: &str) -> Result<String, String> {
    let fail = |error: std::io::Error| format!("no page for the browser: {error}");
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(fail)?;
    let port = listener.local_addr().map_err(fail)?.port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(std::time::Duration::from_secs(2)));
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
                PAGE.len()
            );
        }
    });
    let localhost = url::Url::parse(target).is_ok_and(|url| url.host_str() == Some("localhost"));
    let host = if localhost { "127.0.0.1" } else { "localhost" };
    Ok(format!("http://{host}:{port}"))
}
