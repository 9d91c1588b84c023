//! Documents that come compressed although that was not asked for: object stores and servers of files
//! that were compressed beforehand do so. Browsers unpack them, and so is it done here, up to a limit.

use std::io::{self, Read};

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// So many times is a document compressed at the most.
const MOST: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// How a body is compressed, the last coding first. A word that browsers do not know makes them pass over
/// all of them (Fetch, "handle content codings").
pub(super) fn codings(headers: &HeaderMap) -> Vec<Coding> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for word in value.as_bytes().split(|byte| *byte == b',') {
            let word = word.trim_ascii().to_ascii_lowercase();
            codings.push(match &*word {
                b"" | b"identity" => continue,
                b"gzip" | b"x-gzip" => Coding::Gzip,
                b"deflate" => Coding::Deflate,
                b"br" => Coding::Brotli,
                b"zstd" => Coding::Zstd,
                _ => return Vec::new(),
            });
        }
    }
    codings.reverse();
    codings
}

/// The body as it was before it was compressed.
///
/// # Errors
///
/// What is wrong with it, in a few words.
pub(super) fn unpacked(
    body: &Bytes,
    codings: &[Coding],
    longest: usize,
) -> Result<Bytes, &'static str> {
    if codings.len() > MOST {
        return Err("it is compressed too often");
    }
    let mut body = body.clone();
    for coding in codings {
        body = unpack(&body, *coding, longest)?;
    }
    Ok(body)
}

fn unpack(body: &[u8], coding: Coding, longest: usize) -> Result<Bytes, &'static str> {
    let broken = "it says that it is compressed, and is not";
    let read = match coding {
        Coding::Gzip => up_to(longest, flate2::read::MultiGzDecoder::new(body)),
        // Some servers leave out zlib's frame, and browsers take both.
        Coding::Deflate if is_zlib(body) => up_to(longest, flate2::read::ZlibDecoder::new(body)),
        Coding::Deflate => up_to(longest, flate2::read::DeflateDecoder::new(body)),
        Coding::Brotli => up_to(longest, brotli_decompressor::Decompressor::new(body, 4096)),
        Coding::Zstd => match ruzstd::decoding::StreamingDecoder::new(body) {
            Ok(decoder) => up_to(longest, decoder),
            Err(_) => return Err(broken),
        },
    };
    let read = read.map_err(|_| broken)?;
    if read.len() > longest {
        return Err("it is longer than the limit when it is unpacked");
    }
    Ok(read.into())
}

/// RFC 1950 §2.2.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 0xf == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// What is read, and one byte of what is too much.
fn up_to(longest: usize, from: impl Read) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    from.take(longest as u64 + 1).read_to_end(&mut read)?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    /// IN-02: how browsers read the header.
    #[test]
    fn what_is_compressed() {
        for (values, expected) in [
            (&[][..], &[][..]),
            (&["identity"], &[]),
            (&[""], &[]),
            (&["gzip"], &[Coding::Gzip]),
            (&["X-GZIP"], &[Coding::Gzip]),
            (&["br , gzip"], &[Coding::Gzip, Coding::Brotli]),
            (&["zstd", "identity", "deflate"], &[Coding::Deflate, Coding::Zstd]),
            (&["utf-8"], &[]),
            (&["aws-chunked,gzip"], &[]),
            (&["gzip", "compress"], &[]),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(codings(&headers), expected, "{values:?}");
        }
    }

    /// IN-02: a small body that would fill the memory does not.
    #[test]
    fn bombs_are_bounded() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
        let bomb = Bytes::from(gzip.finish().unwrap());
        assert!(bomb.len() < 2000);
        assert_eq!(unpacked(&bomb, &[Coding::Gzip], 1 << 20).unwrap().len(), 1 << 20);
        assert!(unpacked(&bomb, &[Coding::Gzip], (1 << 20) - 1).is_err());
        assert!(unpacked(&bomb, &[Coding::Gzip; 4], 1 << 20).is_err());
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            for broken in [&b"{\"id\":1}"[..], &bomb[..10]] {
                let body = Bytes::copy_from_slice(broken);
                let read = unpacked(&body, &[coding], 100);
                assert!(read.is_err() || coding == Coding::Brotli, "{coding:?} {broken:?}");
            }
        }
    }
}
