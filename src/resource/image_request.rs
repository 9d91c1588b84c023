//! The parameters of one image request, and how much of an image they show.

use std::borrow::Cow;

use super::{Refusal, encoding, scale, shape};

/// One image request: `{region}/{size}/{rotation}/{quality}.{format}`, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRequest<'a> {
    /// The four parts with a slash between them, and none within them: small, as every tile has one.
    parts: Cow<'a, str>,
}

impl<'a> ImageRequest<'a> {
    /// The request of these four parts, which mean themselves; the last one has a dot.
    pub(super) fn plain(parts: &'a str) -> Self {
        Self { parts: Cow::Borrowed(parts) }
    }

    /// The request that these four segments ask for, where something may have to be decoded.
    ///
    /// # Errors
    ///
    /// [`Refusal::Ambiguous`] for what some server takes for more than an image request,
    /// [`Refusal::Shape`] for what is none.
    pub(super) fn read(written: &'a str) -> Result<Self, Refusal> {
        let decoded = if memchr::memchr(b'%', written.as_bytes()).is_some() {
            let slashes = written.matches('/').count();
            let decoded = encoding::decoded_once(written)?;
            if decoded.matches('/').count() != slashes {
                return Err(Refusal::Ambiguous);
            }
            decoded
        } else {
            Cow::Borrowed(written)
        };
        let special =
            |byte: u8| byte.is_ascii_control() || !byte.is_ascii() || b";&+@#?%\\ ".contains(&byte);
        if decoded.bytes().any(special) || decoded.split('/').any(encoding::is_dot_or_empty) {
            return Err(Refusal::Ambiguous);
        }
        let own = Self { parts: decoded };
        let known = shape::is_region(own.region().as_bytes())
            && shape::is_size(own.size().as_bytes())
            && shape::is_rotation(own.rotation().as_bytes())
            && shape::is_last(own.part(3));
        if known {
            Ok(own)
        } else if shape::names_an_image(own.part(3)) {
            // An image all the same, with a part that is none (Image API 3.0 §7).
            Err(Refusal::Ambiguous)
        } else {
            Err(Refusal::Shape)
        }
    }

    /// As it stands in a URI, in one spelling.
    pub(super) fn write(&self) -> String {
        encoding::encode_image(&self.parts)
    }

    fn part(&self, index: usize) -> &str {
        self.parts.split('/').nth(index).unwrap_or_default()
    }

    /// The region as it was asked for: `full`, `square`, `0,0,512,512`, `pct:…`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(0)
    }

    /// The size as it was asked for: `max`, `512,`, `!200,200`, `pct:50` …
    #[must_use]
    pub fn size(&self) -> &str {
        self.part(1)
    }

    /// The rotation as it was asked for.
    #[must_use]
    pub fn rotation(&self) -> &str {
        self.part(2)
    }

    /// The quality as it was asked for.
    #[must_use]
    pub fn quality(&self) -> &str {
        self.part(3).rsplit_once('.').map_or("", |(quality, _)| quality)
    }

    /// The format as it was asked for.
    #[must_use]
    pub fn format(&self) -> &str {
        self.part(3).rsplit_once('.').map_or("", |(_, format)| format)
    }

    /// How large the *whole* image would be at most, in pixels of its longer side, at the scale at which
    /// this request shows its region: by every image server, as far as is known.
    ///
    /// This is what a threshold has to look at: a tile of 100 by 100 pixels cut out at full scale
    /// is small, yet enough tiles make the whole picture. `dimensions` is the full image's size
    /// where it is known.
    ///
    /// `None` when it can not be told for sure: treat it as too large. That is so for `full/max` of an
    /// image of unknown size, and for what servers round or read in different ways: numbers with
    /// fractions, zeros, regions in percent, `^max`, rotations by other than quarter turns. `!w,h` counts
    /// by the larger of its two numbers, as a server that makes no picture so large (`MAX_CVT` of
    /// `IIPImage`) sends the largest that it makes.
    #[must_use]
    pub fn whole_image_at_this_scale(&self, dimensions: Option<(u32, u32)>) -> Option<f64> {
        let turn = self.rotation();
        if !matches!(turn.strip_prefix('!').unwrap_or(turn), "0" | "90" | "180" | "270" | "360") {
            return None;
        }
        scale::whole_image(self.region(), self.size(), dimensions)
    }

    pub(super) fn into_owned(self) -> ImageRequest<'static> {
        ImageRequest { parts: Cow::Owned(self.parts.into_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(region: &'a str, size: &'a str) -> ImageRequest<'a> {
        ImageRequest::plain(&format!("{region}/{size}/0/default.jpg")).into_owned()
    }

    /// AL-07: rotations that make another picture of it are not told.
    #[test]
    fn only_quarter_turns_are_sure() {
        for (rotation, sure) in [
            ("0", true),
            ("!90", true),
            ("360", true),
            ("22.5", false),
            ("0.5", false),
            ("!1", false),
            ("00", false),
        ] {
            let image =
                ImageRequest::plain(&format!("full/!200,200/{rotation}/default.jpg")).into_owned();
            assert_eq!(
                image.whole_image_at_this_scale(Some((8000, 6000))).is_some(),
                sure,
                "{rotation}"
            );
        }
    }

    #[test]
    fn parts() {
        let image = request("full", "max");
        assert_eq!((image.region(), image.size(), image.rotation()), ("full", "max", "0"));
        assert_eq!((image.quality(), image.format()), ("default", "jpg"));
        assert_eq!(ImageRequest::plain("full/max/0/default.jpg"), image);
        for (written, expected) in [
            ("full/%5Emax/0/default.jpg", Ok("full/%5Emax/0/default.jpg")),
            ("full/^max/0/default.jpg", Ok("full/%5Emax/0/default.jpg")),
            ("%66ull/!1%2c1/0/default.jpg", Ok("full/!1,1/0/default.jpg")),
            ("pct:0,0,1,1/max/!0/gray.png", Ok("pct:0,0,1,1/max/!0/gray.png")),
            ("full/1.5/0/default.jpg", Err(Refusal::Ambiguous)),
            ("full/max/0/default", Err(Refusal::Shape)),
            ("12148/btv1b8449691v/f29/info.json", Err(Refusal::Shape)),
            ("12148/12345/29/info.json", Err(Refusal::Shape)),
            ("full/max%2F1/0/default.jpg", Err(Refusal::Ambiguous)),
            ("full/max/0/default.jpg%26FIF=reader.tif", Err(Refusal::Ambiguous)),
            ("full/max/0/default.jpg;x", Err(Refusal::Ambiguous)),
            ("full/max/0/default.jpg%3Fx", Err(Refusal::Ambiguous)),
            ("full/max/0/default.jpg%23x", Err(Refusal::Ambiguous)),
            ("full/max/0/default.jpg%00", Err(Refusal::Ambiguous)),
            ("full/max/0/default.jpg%2520", Err(Refusal::Ambiguous)),
        ] {
            let read = ImageRequest::read(written).map(|image| image.write());
            assert_eq!(read, expected.map(str::to_owned), "{written}");
        }
    }
}
