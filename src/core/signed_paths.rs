//! What may be shown of a path: never what opens a signed location, in whatever spelling it was sent.

use std::borrow::Cow;
use std::iter;

use memchr::memchr;
use percent_encoding::percent_decode_str;

use super::Endpoints;
use crate::path;

impl Endpoints {
    /// What is sealed in a path below the place of signed locations, and the path behind it: none where that is
    /// another spelling, or a relative one, so that the two are never taken for each other.
    pub(crate) fn sealed_in<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        let below = path::below(path, self.signed())?.strip_prefix('/')?;
        let (sealed, rest) = below.split_at(below.find('/')?);
        let is_in = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_sealed = !sealed.is_empty() && sealed.bytes().all(is_in);
        (is_sealed && !readings(rest).any(|own| is_relative(&own))).then_some((sealed, rest))
    }

    /// A path as it may be shown: without what opens a signed location. Nothing is shown behind their place
    /// where the path is in another spelling, is asked of the probe, or holds one behind the other.
    pub(crate) fn without_capability<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match self.sealed_in(path) {
            Some((_, rest)) if !self.is_near_signed(rest) => {
                Cow::Owned(format!("{}/…{rest}", self.signed()))
            }
            None if !self.is_near_signed(path) => Cow::Borrowed(path),
            _ => Cow::Owned(format!("{}/…", self.signed())),
        }
    }

    /// Whether some reading of a path lies below the place of signed locations, or asks the probe of one.
    fn is_near_signed(&self, path: &str) -> bool {
        readings(path).any(|own| self.is_below_signed(&own))
    }

    /// The same of a path as it is, but for case, empty segments, parameters and dots.
    fn is_below_signed(&self, path: &str) -> bool {
        self.are_below_signed(segments(path))
            || is_relative(path) && self.are_below_signed(resolved(path).into_iter())
    }

    fn are_below_signed<'p>(&self, asked: impl Iterator<Item = &'p str> + Clone) -> bool {
        let asked = behind(asked.clone(), self.probe()).unwrap_or(asked);
        behind(asked, self.signed()).is_some_and(|mut below| below.next().is_some())
    }
}

/// A path as it is, and decoded as often as anybody decodes.
fn readings(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let decoded = |read: &Cow<'_, str>| {
        memchr(b'%', read.as_bytes())?;
        Some(Cow::Owned(percent_decode_str(read).decode_utf8_lossy().into_owned()))
    };
    iter::successors(Some(Cow::Borrowed(path)), decoded).take(5)
}

/// Whether some segment leads elsewhere.
fn is_relative(path: &str) -> bool {
    path.split(['/', '\\', ';']).any(|part| matches!(part, "." | ".."))
}

/// The segments of a path that are not empty, without parameters.
fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    let parts = path.split(['/', '\\']).filter_map(|part| part.split(';').next());
    parts.filter(|part| !part.is_empty())
}

/// The same with what is relative resolved.
fn resolved(path: &str) -> Vec<&str> {
    let mut all = Vec::new();
    for part in segments(path) {
        match part {
            "." => {}
            ".." => drop(all.pop()),
            _ => all.push(part),
        }
    }
    all
}

/// The segments behind those of this place, if they begin with them in whatever case.
fn behind<'p, I: Iterator<Item = &'p str>>(mut asked: I, place: &str) -> Option<I> {
    let all =
        segments(place).all(|part| asked.next().is_some_and(|own| own.eq_ignore_ascii_case(part)));
    all.then_some(asked)
}
