//! The access cookie of one realm, ready to be read and set.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::AspectError;
use super::cookie::{CookieAttributes, CookieError, SameSite};
use super::found_session::FoundSession;
use super::times::Times;
use crate::clock::Timestamp;
use crate::seal::Reader;
use crate::seal::{Keyring, Purpose, RecallingSealer, Scratch};
use crate::session::{Session, SessionId};

/// How many cookies of a name of ours are tried: a sibling host can toss in junk beside the good one.
const MAX_TRIES: usize = 8;

/// How many sessions one request ends: a browser has one or two of a name.
const MOST_ENDED: usize = 8;

/// The live sessions in a request's cookies.
pub(crate) struct Sessions {
    pub(crate) list: Vec<Listed>,
    /// Whether these are all that there are.
    pub(crate) are_all: bool,
}

/// A session, as it is ended.
pub(crate) struct Listed {
    pub(crate) id: SessionId,
    pub(crate) until: Timestamp,
    /// Whether it is a session of nobody in particular.
    pub(crate) is_of_nobody: bool,
}

/// The access cookie of a realm, ready to be read and set.
#[derive(Clone, Debug)]
pub(crate) struct BoundCookie {
    realm: Box<str>,
    attributes: CookieAttributes,
    times: Times,
    sealer: RecallingSealer,
    /// The cookie that viewers' partitions get, where that is configured.
    partitioned: Option<CookieAttributes>,
    partitioned_sealer: RecallingSealer,
}

/// Longest life of a cookie in a viewer's partition, which no logout can delete: the page that uses it
/// renews it.
const PARTITIONED_LIFETIME: Duration = Duration::from_secs(600);

/// It is renewed when less than this is left.
const RENEWED_AT: Duration = Duration::from_secs(300);

impl BoundCookie {
    /// What the aspect is called in access tokens.
    pub(crate) const NAME: &'static str = "access-cookie";

    pub(super) fn new(
        attributes: CookieAttributes,
        times: Times,
        realm: &str,
        keyring: &Keyring,
        partitions: bool,
    ) -> Self {
        let partitioned = (partitions && attributes.secure).then(|| CookieAttributes {
            name: format!("{}-p", attributes.name).into(),
            same_site: SameSite::None,
            partitioned: true,
            ..attributes.clone()
        });
        let sealer = |purpose| RecallingSealer::new(keyring.sealer(purpose, realm));
        let (sealer, partitioned_sealer) = (sealer(Purpose::Cookie), sealer(Purpose::Partitioned));
        let realm = realm.into();
        Self { realm, attributes, times, sealer, partitioned, partitioned_sealer }
    }

    /// Finds the first good session, leaving out the first `skip` cookies of our name, or else the
    /// best reason why there is none.
    #[inline]
    pub(crate) fn find(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
        scratch: &mut Scratch,
        skip: usize,
    ) -> Result<FoundSession, AspectError> {
        let (mut lacks, mut own) = (AspectError::Missing, 0);
        let mut texts = self.attributes.values(headers);
        while own < MAX_TRIES {
            let Some(text) = texts.next() else { break };
            if own >= skip {
                match self.open_own(text, now, scratch) {
                    Ok(found) => {
                        let is_alone = texts.are_over() || !texts.any(|other| other != text);
                        return Ok(FoundSession { index: own, is_alone, ..found });
                    }
                    Err(error) => lacks = lacks.or_better(error),
                }
            }
            own += 1;
        }
        self.find_partitioned(headers, now, scratch, skip.saturating_sub(own))
            .map(|found| FoundSession { index: own + found.index, ..found })
            .ok_or(lacks)
    }

    /// The same among the cookies of the partition. What is wrong with them is not told: a dead one is
    /// as good as none, as no logout reaches it, and the browser goes on to send it.
    #[inline(never)]
    fn find_partitioned(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
        scratch: &mut Scratch,
        skip: usize,
    ) -> Option<FoundSession> {
        let mut texts = self.partitioned.as_ref()?.values(headers);
        for index in 0..MAX_TRIES {
            let text = texts.next()?;
            if index < skip {
                continue;
            }
            if let Some(found) = self.open_partitioned(text, now, scratch) {
                let is_alone = !texts.any(|other| other != text);
                return Some(FoundSession { index, is_alone, ..found });
            }
        }
        None
    }

    /// Whether there are more cookies of a name than are tried: then it is not known whose they are.
    pub(crate) fn are_too_many(&self, headers: &HeaderMap) -> bool {
        let too_many = |own: &CookieAttributes| own.values(headers).nth(MAX_TRIES).is_some();
        too_many(&self.attributes) || self.partitioned.as_ref().is_some_and(too_many)
    }

    /// The cookies of our names, those of the partition last.
    fn values<'h>(&'h self, headers: &'h HeaderMap) -> impl Iterator<Item = Value<'h>> {
        let own = self.attributes.values(headers).take(MAX_TRIES).map(Value::Own);
        let partitioned = self.partitioned.iter();
        let partitioned = partitioned.flat_map(|own| own.values(headers).take(MAX_TRIES));
        own.chain(partitioned.map(Value::Partitioned))
    }

    fn open(
        &self,
        value: Value<'_>,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Option<FoundSession> {
        match value {
            Value::Own(text) => self.open_own(text, now, scratch).ok(),
            Value::Partitioned(text) => self.open_partitioned(text, now, scratch),
        }
    }

    #[inline]
    fn open_own(
        &self,
        text: &[u8],
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<FoundSession, AspectError> {
        let place = self.sealer.open(text, scratch).map_err(|_| AspectError::Invalid)?;
        FoundSession::at(place, None, self.times.longest_millis, now, scratch)
    }

    fn open_partitioned(
        &self,
        text: &[u8],
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Option<FoundSession> {
        let (start, length) = self.partitioned_sealer.open(text, scratch).ok()?;
        let mut reader = Reader(scratch.at((start, length)));
        let end = reader.timestamp().filter(|end| now < *end)?;
        let place = (start + length - reader.0.len(), reader.0.len());
        FoundSession::at(place, Some(end), self.times.longest_millis, now, scratch).ok()
    }

    /// The live sessions in the request's cookies, each once: a browser may send several, and junk beside
    /// them saves none from its end. No more of them than one request ends.
    pub(crate) fn sessions(&self, headers: &HeaderMap, now: Timestamp) -> Sessions {
        let mut scratch = Scratch::new();
        let mut list: Vec<Listed> = Vec::new();
        let own = self.attributes.values(headers).map(Value::Own);
        let partitioned = self.partitioned.iter().flat_map(|own| own.values(headers));
        for value in own.chain(partitioned.map(Value::Partitioned)) {
            let Some(found) = self.open(value, now, &mut scratch) else { continue };
            let Ok(session) = found.session(&scratch) else { continue };
            if list.iter().any(|own| own.id == session.id()) {
                continue;
            }
            if list.len() == MOST_ENDED {
                return Sessions { list, are_all: false };
            }
            let is_of_nobody = session.subject().is_empty();
            let until = self.times.end_of(&session);
            list.push(Listed { id: session.id(), until, is_of_nobody });
        }
        Sessions { list, are_all: true }
    }

    /// The `Set-Cookie` value for `session`.
    pub(crate) fn set(
        &self,
        session: &Session<'_>,
        now: Timestamp,
    ) -> Result<HeaderValue, CookieError> {
        let mut payload = Vec::with_capacity(256);
        session.write(&mut payload);
        let value = self.sealer.seal(&payload).map_err(|_| CookieError::Seal)?;
        self.attributes.set(&value, session.expires_at().remaining(now))
    }

    /// The `Set-Cookie` value that gives `session` to a viewer's partition; none where that is not
    /// configured.
    pub(crate) fn set_partitioned(
        &self,
        session: &Session<'_>,
        now: Timestamp,
    ) -> Option<Result<HeaderValue, CookieError>> {
        let attributes = self.partitioned.as_ref()?;
        let life = PARTITIONED_LIFETIME.min(session.expires_at().remaining(now));
        let mut payload = Vec::with_capacity(256);
        payload.extend_from_slice(&now.after(life).as_millis().to_be_bytes());
        session.write(&mut payload);
        let sealed = self.partitioned_sealer.seal(&payload);
        Some(sealed.map_err(|_| CookieError::Seal).and_then(|value| attributes.set(&value, life)))
    }

    /// The session `id`, if the partition of this request is to get it: because its cookie there ends
    /// soon, or, where a `companion` is wanted, because it has none there.
    pub(crate) fn for_partition(
        &self,
        id: SessionId,
        headers: &HeaderMap,
        companion: bool,
        now: Timestamp,
    ) -> Option<Session<'static>> {
        self.partitioned.as_ref()?;
        let mut scratch = Scratch::new();
        let mut own = None;
        let wanted = |value: &Value<'_>| companion || matches!(value, Value::Partitioned(_));
        for value in self.values(headers).filter(wanted) {
            let Some(found) = self.open(value, now, &mut scratch) else { continue };
            if found.id() != id {
                continue;
            }
            let session = found.session(&scratch).ok()?;
            match found.ends {
                Some(end) => {
                    let ends_soon = end.remaining(now) < RENEWED_AT && end < session.expires_at();
                    return ends_soon.then(|| session.into_owned());
                }
                None => own = Some(session.into_owned()),
            }
        }
        own.filter(|_| companion)
    }

    /// Whether a request has no cookie of our names, good or bad.
    pub(crate) fn is_missing(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        matches!(self.find(headers, now, &mut Scratch::new(), 0), Err(AspectError::Missing))
    }

    /// Whether browsers send it along with other sites' pages, as far as they do that.
    pub(crate) fn is_for_other_sites(&self) -> bool {
        self.attributes.same_site == SameSite::None
    }

    /// The name of the cookie in viewers' partitions.
    pub(crate) fn partitioned_name(&self) -> Option<&str> {
        self.partitioned.as_ref().map(|own| &*own.name)
    }

    /// The `Set-Cookie` value that deletes the cookie.
    pub(crate) fn delete(&self) -> Result<HeaderValue, CookieError> {
        self.attributes.set("", Duration::ZERO)
    }

    pub(crate) fn name(&self) -> &str {
        &self.attributes.name
    }

    /// The name of its realm.
    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    /// How long its sessions last.
    #[inline]
    pub(crate) fn times(&self) -> &Times {
        &self.times
    }

    /// The session `id` of this request, if it is to be renewed, and whether it is of the partition.
    pub(crate) fn to_renew(
        &self,
        id: SessionId,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<(Session<'static>, bool)> {
        if !self.times.are_renewed() {
            return None;
        }
        let mut scratch = Scratch::new();
        for value in self.values(headers) {
            let Some(found) = self.open(value, now, &mut scratch) else { continue };
            if found.id() == id {
                let session = found.session(&scratch).ok()?;
                return Some((self.times.renewed(&session, now)?, found.is_partitioned()));
            }
        }
        None
    }
}

/// The value of a cookie.
#[derive(Clone, Copy)]
enum Value<'h> {
    Own(&'h [u8]),
    Partitioned(&'h [u8]),
}

#[cfg(test)]
mod tests {
    use super::super::AccessCookie;
    use super::*;
    use http::header::COOKIE;

    fn bind(secure: bool) -> BoundCookie {
        let key: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37)).collect();
        let keyring = Keyring::from_bytes(&key).unwrap();
        AccessCookie::new().bind("", "iiif.example", secure, &keyring, false).unwrap()
    }

    /// SE-01 and V2-COOKIE-3, V2-COOKIE-4: the attributes; V2-LOGOUT-5: deletion repeats them.
    #[test]
    fn set_and_delete_agree() {
        let attributes = |header: &HeaderValue| {
            let text = header.to_str().unwrap().to_owned();
            let mut parts: Vec<_> = text.split("; ").skip(1).map(str::to_owned).collect();
            parts.retain(|part| !part.starts_with("Max-Age"));
            parts.sort();
            parts
        };
        let cookie = bind(true);
        let now = Timestamp::from_millis(1_000_000);
        let session = Session::builder("ada").lasting(now, cookie.times().lifetime).unwrap();
        let set = cookie.set(&session, now).unwrap();
        assert!(set.is_sensitive());
        assert!(set.to_str().unwrap().contains("Max-Age=1800"));
        assert_eq!(attributes(&set), ["HttpOnly", "Path=/", "SameSite=None", "Secure"]);
        let delete = cookie.delete().unwrap();
        assert!(delete.to_str().unwrap().starts_with("__Host-iiif=; "));
        assert!(delete.to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(attributes(&delete), attributes(&set));
        let plain = bind(false);
        assert_eq!(plain.name(), "iiif");
        assert_eq!(attributes(&plain.delete().unwrap()), ["HttpOnly", "Path=/", "SameSite=Lax"]);
    }

    /// The cookie of a partition is none under the other name, nor the other way round, also when it was
    /// opened before.
    #[test]
    fn own_and_partitioned_are_apart() {
        let key: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37)).collect();
        let keyring = Keyring::from_bytes(&key).unwrap();
        let cookie = AccessCookie::new().bind("", "iiif.example", true, &keyring, true).unwrap();
        let now = Timestamp::from_millis(1_000_000);
        let session = Session::builder("ada").lasting(now, Duration::from_secs(60)).unwrap();
        let value =
            |set: HeaderValue| set.to_str().unwrap().split([';', '=']).nth(1).unwrap().to_owned();
        let own = value(cookie.set(&session, now).unwrap());
        let partitioned = value(cookie.set_partitioned(&session, now).unwrap().unwrap());
        for (pair, good) in [
            (format!("__Host-iiif={own}"), true),
            (format!("__Host-iiif-p={partitioned}"), true),
            (format!("__Host-iiif={partitioned}"), false),
            (format!("__Host-iiif-p={own}"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(COOKIE, pair.parse().unwrap());
            for _ in 0..2 {
                let found = cookie.find(&headers, now, &mut Scratch::new(), 0);
                assert_eq!(found.is_ok(), good, "{pair}");
            }
        }
    }

    /// SE-06, SE-08: duplicates and odd spellings.
    #[test]
    fn reading() {
        let cookie = bind(true);
        let now = Timestamp::from_millis(1_000_000);
        let session = Session::builder("ada").lasting(now, Duration::from_secs(60)).unwrap();
        let set = cookie.set(&session, now).unwrap();
        let c = set.to_str().unwrap().split([';', '=']).nth(1).unwrap().to_owned();
        let many = "x=y; ".repeat(10_000);
        for (fields, expected) in [
            (vec![format!("__Host-iiif={c}")], "ok"),
            (vec![format!("a=b;__Host-iiif={c};c=d")], "ok"),
            (vec![format!("__Host-iiif=junk; __Host-iiif={c}")], "ok"),
            (vec![format!("__Host-iiif={c}; __Host-iiif=junk")], "ok"),
            (vec!["__Host-iiif=junk".into(), format!("__Host-iiif={c}")], "ok"),
            (vec![format!("{many}__Host-iiif={c}")], "ok"),
            (vec![], "missing"),
            (vec![format!("={c}")], "missing"),
            (vec!["__Host-iiif".into()], "missing"),
            (vec![format!("__host-iiif={c}")], "missing"),
            (vec![format!("x=__Host-iiif={c}")], "missing"),
            (vec![format!(" __Host-iiif ={c}")], "missing"),
            (vec![format!("__Host-iiif=\"{c}\"")], "invalid"),
            (vec![format!("__Host-iiif={c} ")], "invalid"),
            (vec!["__Host-iiif=".into()], "invalid"),
        ] {
            let mut headers = HeaderMap::new();
            for field in &fields {
                headers.append(COOKIE, field.parse().unwrap());
            }
            let mut scratch = Scratch::new();
            let found = cookie.find(&headers, now, &mut scratch, 0);
            let found = found.as_ref().map_or_else(AspectError::as_str, |_| "ok");
            assert_eq!(found, expected, "{:.80}", fields.join(" | "));
        }
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, format!("__Host-iiif={c}").parse().unwrap());
        let mut scratch = Scratch::new();
        let later = now.after(Duration::from_secs(60));
        assert!(matches!(cookie.find(&headers, later, &mut scratch, 0), Err(AspectError::Expired)));
    }
}
