//! Refuses requests of HTTP/1 that two readers could read in two ways.
//!
//! hyper reads such requests in one of the ways that RFC 9112 allows and passes a well-formed request
//! on. But a server in front may have read them in another way, and taken for a header's value what is
//! a header here. So each request's head is looked at as it comes in, before hyper: bare line feeds and
//! carriage returns, folded lines, names with spaces, lengths that are given twice, or as a length and
//! as chunks, and more or fewer than one `Host`. hyper is then shown a byte that no head may have, which
//! it answers with 400, and nothing further of the connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use memchr::memchr2;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A byte that no head may have, and the end of a head, which hyper waits for before it reads one.
const POISON: &[u8] = b"\0\r\n\r\n";

/// The longest line that is looked at; hyper takes no longer head.
const LONGEST_LINE: usize = super::BUFFER;

/// The memory of a line that is kept for the next one.
const USUAL_LINE: usize = 4 << 10;

pin_project! {
    /// A connection whose requests can be read in one way only.
    pub(crate) struct Strict<S, F> {
        #[pin]
        stream: S,
        reader: Reader,
        // hyper limits the time of a head only once it knows the version of HTTP.
        first_head: Option<Pin<Box<Sleep>>>,
        refused: F,
    }
}

impl<S, F> Strict<S, F> {
    /// The first head has to come within `patience`. Why something is refused is told to `refused`.
    pub(crate) fn new(stream: S, patience: Duration, refused: F) -> Self {
        let first_head = Some(Box::pin(sleep(patience)));
        Self { stream, reader: Reader::default(), first_head, refused }
    }
}

impl<S: AsyncRead, F: Fn(&'static str)> AsyncRead for Strict<S, F> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        if let Place::Refused(given) = &mut this.reader.place {
            give_poison(given, buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        if this.stream.poll_read(cx, buffer)?.is_pending() {
            let late = this.first_head.as_mut().is_some_and(|own| own.as_mut().poll(cx).is_ready());
            return if late {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            } else {
                Poll::Pending
            };
        }
        if let Err((at, Refused(why))) = this.reader.read(&buffer.filled()[before..]) {
            (this.refused)(why);
            buffer.set_filled(before + at);
            let mut given = 0;
            give_poison(&mut given, buffer);
            this.reader.place = Place::Refused(given);
        }
        if this.reader.seen || matches!(this.reader.place, Place::Opaque) {
            *this.first_head = None;
        }
        Poll::Ready(Ok(()))
    }
}

/// As much of it as there is room for; behind it nothing, which is the end of the connection.
fn give_poison(given: &mut usize, buffer: &mut ReadBuf<'_>) {
    let rest = &POISON[*given..];
    let now = rest.len().min(buffer.remaining());
    buffer.put_slice(&rest[..now]);
    *given += now;
}

impl<S: AsyncWrite, F> AsyncWrite for Strict<S, F> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Follows the requests of one connection.
#[derive(Default)]
struct Reader {
    place: Place,
    /// The line so far, without its end.
    line: Vec<u8>,
    head: Head,
    /// Whether a request was read on this connection.
    seen: bool,
}

#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Head,
    /// This many bytes more.
    Body(u64),
    /// HTTP/2, or a body in chunks, behind which nothing is read.
    Opaque,
    /// So much of the poison was given.
    Refused(usize),
}

/// What matters of a head.
#[derive(Default)]
struct Head {
    request_line: bool,
    is_1_1: bool,
    length: Option<u64>,
    chunked: bool,
    hosts: u8,
}

/// Why a request is not to be passed on.
struct Refused(&'static str);

impl Reader {
    /// The index of the first byte that makes a request ambiguous, and why it does.
    fn read(&mut self, bytes: &[u8]) -> Result<(), (usize, Refused)> {
        let mut at = 0;
        while at < bytes.len() {
            if matches!(self.place, Place::Head) {
                at += self.within_line(&bytes[at..]);
                if at == bytes.len() {
                    break;
                }
            }
            match self.place {
                Place::Opaque | Place::Refused(_) => return Ok(()),
                Place::Body(0) => self.place = Place::Head,
                Place::Body(left) => {
                    let rest = (bytes.len() - at) as u64;
                    let skipped = left.min(rest);
                    self.place = Place::Body(left - skipped);
                    at += usize::try_from(skipped).unwrap_or(usize::MAX);
                }
                Place::Head => {
                    self.byte(bytes[at]).map_err(|why| (at, why))?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Takes what does not end a line, at once; how many bytes that is.
    fn within_line(&mut self, bytes: &[u8]) -> usize {
        if self.line.last() == Some(&b'\r') {
            return 0;
        }
        let room = LONGEST_LINE.saturating_sub(self.line.len()).min(bytes.len());
        let end = memchr2(b'\r', b'\n', &bytes[..room]).unwrap_or(room);
        self.line.extend_from_slice(&bytes[..end]);
        end
    }

    fn byte(&mut self, byte: u8) -> Result<(), Refused> {
        let after_return = self.line.last() == Some(&b'\r');
        match byte {
            b'\n' if after_return => {
                self.line.pop();
                let mut line = std::mem::take(&mut self.line);
                let looked_at = self.line(&line);
                if line.capacity() <= USUAL_LINE {
                    line.clear();
                    self.line = line;
                }
                looked_at
            }
            // Alone each of them ends a line for some readers, and not for others.
            b'\n' => Err(Refused("a line feed without a carriage return")),
            _ if after_return => Err(Refused("a carriage return without a line feed")),
            _ if self.line.len() >= LONGEST_LINE => Err(Refused("a line that is too long")),
            _ => {
                self.line.push(byte);
                Ok(())
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Refused> {
        if !self.head.request_line {
            if line == b"PRI * HTTP/2.0" && !self.seen {
                self.place = Place::Opaque;
            } else if !line.is_empty() {
                // An empty line before a request is to be passed over (RFC 9112 §2.2).
                self.head.request_line = true;
                self.head.is_1_1 = line.ends_with(b" HTTP/1.1");
                if !self.head.is_1_1 && !line.ends_with(b" HTTP/1.0") {
                    return Err(Refused("no request line of HTTP/1.1 or 1.0"));
                }
            }
            return Ok(());
        }
        if line.is_empty() {
            return self.end();
        }
        // A first byte of white space is a folded line (RFC 9112 §5.2).
        let no_name = Refused("a header without a name, with white space in it, or folded");
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return Err(no_name) };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return Err(no_name);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            let one = length.filter(|_| digits && self.head.length.is_none());
            self.head.length = Some(one.ok_or(Refused("a length that is no number, or two"))?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.head.chunked = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            self.head.hosts = self.head.hosts.saturating_add(1);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refused> {
        let Head { is_1_1, length, chunked, hosts, .. } = std::mem::take(&mut self.head);
        self.seen = true;
        if hosts > 1 || is_1_1 && hosts == 0 {
            return Err(Refused("no Host, or two"));
        }
        if chunked && length.is_some() {
            return Err(Refused("a length and chunks"));
        }
        // A request in chunks is answered with 411 and the end of the connection.
        self.place = if chunked { Place::Opaque } else { Place::Body(length.unwrap_or(0)) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes go through; `None` for all.
    fn refused_at(text: &str, pieces: usize) -> Option<usize> {
        let mut reader = Reader::default();
        for (index, piece) in text.as_bytes().chunks(pieces).enumerate() {
            if let Err((at, _)) = reader.read(piece) {
                return Some(index * pieces + at);
            }
        }
        None
    }

    #[test]
    fn a_request_has_one_reading_or_none() {
        const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n";
        for (request, refused) in [
            (format!("{GET}\r\n"), false),
            (format!("\r\n{GET}\r\n"), false),
            (format!("{GET}\r\n{GET}\r\n"), false),
            (format!("{GET}Content-Length: 3\r\n\r\n\n\n\n{GET}\r\n"), false),
            ("GET / HTTP/1.0\r\n\r\n".to_owned(), false),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\r\x00".to_owned(), false),
            (format!("{GET}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n"), false),
            (format!("{GET}\r\nPRI * HTTP/2.0\r\n\r\n"), true),
            (format!("{GET}\n"), true),
            ("GET / HTTP/1.1\nHost: a\r\n\r\n".to_owned(), true),
            (format!("{GET}X: a\nX-Remote-User: admin\r\n\r\n"), true),
            (format!("{GET}X: a\rb\r\n\r\n"), true),
            (format!("{GET}X: a\r\n b\r\n\r\n"), true),
            (format!("{GET}X: a\r\n\tb: c\r\n\r\n"), true),
            (format!("{GET}X : a\r\n\r\n"), true),
            (format!("{GET}nothing\r\n\r\n"), true),
            (format!("{GET}: a\r\n\r\n"), true),
            (format!("{GET}Host: b\r\n\r\n"), true),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), true),
            (format!("{GET}Content-Length: 3\r\nContent-Length: 3\r\n\r\n"), true),
            (format!("{GET}Content-Length: 3\r\ncontent-length: 4\r\n\r\n"), true),
            (format!("{GET}Content-Length: 3, 3\r\n\r\n"), true),
            (format!("{GET}Content-Length: +3\r\n\r\n"), true),
            (format!("{GET}Content-Length: -1\r\n\r\n"), true),
            (format!("{GET}Content-Length:\r\n\r\n"), true),
            (format!("{GET}Content-Length: 99999999999999999999\r\n\r\n"), true),
            (format!("{GET}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), true),
            (format!("{GET}Transfer-Encoding: x\r\nContent-Length: 3\r\n\r\n"), true),
        ] {
            for pieces in [1, 7, 4096] {
                assert_eq!(refused_at(&request, pieces).is_some(), refused, "{request:?}");
                // However it comes, as much of it goes through.
                assert_eq!(refused_at(&request, pieces), refused_at(&request, 1), "{request:?}");
            }
        }
    }

    #[test]
    fn a_line_has_an_end() {
        for (length, refused) in [(LONGEST_LINE - 1, None), (LONGEST_LINE, Some(LONGEST_LINE))] {
            let request = format!("{}\r\n", "a".repeat(length - 9) + " HTTP/1.1");
            for pieces in [1, 1000, 1 << 20] {
                assert_eq!(refused_at(&request, pieces), refused, "{length} in {pieces}");
            }
        }
    }
}
