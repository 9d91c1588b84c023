//! What a response says it is, and whether a browser would run it.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

/// The essence of a `Content-Type`: type and subtype, in any case (WHATWG MIME Sniffing §4.4).
#[derive(Clone, Copy, Debug)]
pub(crate) struct MediaType<'v> {
    kind: &'v [u8],
    subtype: &'v [u8],
}

impl<'v> MediaType<'v> {
    /// `None` for what is no media type, or could be two: browsers divide a field at its commas and
    /// believe the last.
    #[inline]
    pub(crate) fn of(value: &'v HeaderValue) -> Option<Self> {
        let value = value.as_bytes();
        let end = value.iter().position(|byte| matches!(byte, b';' | b','));
        let (essence, parameters) = value.split_at(end.unwrap_or(value.len()));
        let essence = essence.trim_ascii();
        let slash = essence.iter().position(|byte| *byte == b'/')?;
        let (kind, subtype) = (&essence[..slash], &essence[slash + 1..]);
        let is_name = |name: &[u8]| {
            name.first().is_some_and(u8::is_ascii_alphanumeric)
                && name.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(b))
        };
        (is_name(kind) && is_name(subtype) && !parameters.contains(&b','))
            .then_some(Self { kind, subtype })
    }

    /// Whether a response names types, and all that it names `are`.
    pub(crate) fn all_are(headers: &'v HeaderMap, are: impl Fn(Self) -> bool) -> bool {
        headers.contains_key(CONTENT_TYPE)
            && headers.get_all(CONTENT_TYPE).iter().all(|own| Self::of(own).is_some_and(&are))
    }

    fn is(self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    fn ends_with(self, suffix: &str) -> bool {
        let at = self.subtype.len().checked_sub(suffix.len());
        at.is_some_and(|at| self.subtype[at..].eq_ignore_ascii_case(suffix.as_bytes()))
    }

    /// A picture of pixels. SVG is a document, and so may be whatever is XML.
    pub(crate) fn is_picture(self) -> bool {
        let begins_as_svg =
            self.subtype.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"svg"));
        self.kind.eq_ignore_ascii_case(b"image") && !begins_as_svg && !self.ends_with("+xml")
    }

    pub(crate) fn is_sound_or_video(self) -> bool {
        let kind = |own: &[u8]| self.kind.eq_ignore_ascii_case(own);
        (kind(b"audio") || kind(b"video")) && !self.ends_with("+xml")
            || self.is("application", "ogg")
    }

    pub(crate) fn is_json(self) -> bool {
        self.is("application", "json") || self.is("text", "json") || self.ends_with("+json")
    }

    /// Whether a browser shows it without a script of its own: pictures, sound, video, PDF, JSON.
    pub(crate) fn is_passive(self) -> bool {
        self.is_picture()
            || self.is_sound_or_video()
            || self.is_json()
            || self.is("application", "pdf")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AC-01: what runs, and what does not.
    #[test]
    fn what_is_passive() {
        for (value, passive) in [
            ("image/jpeg", true),
            ("IMAGE/JPEG ; q=1", true),
            ("image/jp2", true),
            ("image/vnd.djvu", true),
            ("audio/mpeg", true),
            ("video/mp4; codecs=\"avc1.4d401e\"", true),
            ("application/ogg", true),
            ("application/pdf", true),
            ("application/json;charset=utf-8", true),
            (
                "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"",
                true,
            ),
            ("model/gltf+json", true),
            ("image/svg+xml", false),
            ("image/SVG+XML; charset=utf-8", false),
            ("image/svg", false),
            ("image/svg+xml-compressed", false),
            ("image/x+xml", false),
            ("audio/x+xml", false),
            ("text/html", false),
            ("text/html;image/png", false),
            ("text/plain", false),
            ("text/xml", false),
            ("application/xml", false),
            ("application/xhtml+xml", false),
            ("application/javascript", false),
            ("text/css", false),
            ("application/octet-stream", false),
            ("application/x-pdf", false),
            ("multipart/x-mixed-replace; boundary=image/png", false),
            ("multipart/related", false),
            ("message/rfc822", false),
            ("", false),
            ("image", false),
            ("image/", false),
            ("/png", false),
            ("*/*", false),
            ("image/*", false),
            ("image/png, text/html", false),
            ("image/png; x=\",text/html", false),
            ("image /png", false),
            ("image/png\u{e9}", false),
        ] {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            assert_eq!(
                MediaType::of(&value).is_some_and(MediaType::is_passive),
                passive,
                "{value:?}"
            );
        }
    }
}
