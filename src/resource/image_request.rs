//! The parameters of one image request, and how much of an image they show.

use std::borrow::Cow;

use super::Refusal;

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

    /// The request of these decoded parts, which stand in the path as `written`.
    pub(super) fn of(parts: &[Cow<'_, str>; 4], written: &'a str) -> Result<Self, Refusal> {
        if parts.iter().all(|part| matches!(part, Cow::Borrowed(_))) {
            return Self::plain(written).checked();
        }
        if parts.iter().any(|part| part.contains('/')) {
            return Err(Refusal::Ambiguous);
        }
        Self { parts: Cow::Owned(parts.join("/")) }.checked()
    }

    fn checked(self) -> Result<Self, Refusal> {
        let last = self.parts.bytes().rev().take_while(|byte| *byte != b'/');
        if last.into_iter().any(|byte| byte == b'.') { Ok(self) } else { Err(Refusal::Unknown) }
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

    /// How large the *whole* image would be, in pixels of its longer side, at the scale at which
    /// this request shows its region.
    ///
    /// This is what a threshold has to look at: a tile of 100 by 100 pixels cut out at full scale
    /// is small, yet enough tiles make the whole picture. `dimensions` is the full image's size
    /// where it is known. `None` when the scale cannot be told for sure, for example for
    /// `full/max` of an image of unknown size: treat it as too large.
    #[must_use]
    pub fn whole_image_at_this_scale(&self, dimensions: Option<(u32, u32)>) -> Option<f64> {
        let region = Region::parse(self.region())?;
        let size = Size::parse(self.size())?;
        match dimensions {
            Some((width, height)) if width > 0 && height > 0 => Some(
                scale(region, size, f64::from(width), f64::from(height))?
                    * f64::from(width.max(height)),
            ),
            // Of an image of unknown size only the whole, fitted into given bounds, is sure.
            _ => match (region, size) {
                (Region::Full, Size::Exact(width, height) | Size::Fit(width, height)) => {
                    Some(width.max(height))
                }
                _ => None,
            },
        }
    }

    pub(super) fn into_owned(self) -> ImageRequest<'static> {
        ImageRequest { parts: Cow::Owned(self.parts.into_owned()) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Region {
    Full,
    Square,
    Pixels([f64; 4]),
    Percent([f64; 4]),
}

impl Region {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "square" => Some(Self::Square),
            _ => match text.strip_prefix("pct:") {
                Some(numbers) => numbers_of(numbers).map(Self::Percent),
                None => numbers_of(text).map(Self::Pixels),
            },
        }
    }

    /// Width and height of the part of the region that lies inside the image.
    fn inside(self, width: f64, height: f64) -> Option<(f64, f64)> {
        let [x, y, w, h] = match self {
            Self::Full => return Some((width, height)),
            Self::Square => return Some((width.min(height), width.min(height))),
            Self::Pixels(pixels) => pixels,
            Self::Percent([x, y, w, h]) => {
                [x * width / 100.0, y * height / 100.0, w * width / 100.0, h * height / 100.0]
            }
        };
        let inside = (w.min(width - x), h.min(height - y));
        (inside.0 > 0.0 && inside.1 > 0.0).then_some(inside)
    }
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Max,
    Width(f64),
    Height(f64),
    Exact(f64, f64),
    Fit(f64, f64),
    Percent(f64),
    /// `^max`: as large as the server goes.
    Unbounded,
}

impl Size {
    fn parse(text: &str) -> Option<Self> {
        if text == "^max" {
            return Some(Self::Unbounded);
        }
        let text = text.strip_prefix('^').unwrap_or(text);
        if matches!(text, "max" | "full") {
            return Some(Self::Max);
        }
        if let Some(percent) = text.strip_prefix("pct:") {
            return number(percent).map(Self::Percent);
        }
        let (fit, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        match (fit, text.split_once(',')?) {
            (false, (width, "")) => number(width).map(Self::Width),
            (false, ("", height)) => number(height).map(Self::Height),
            (false, (width, height)) => Some(Self::Exact(number(width)?, number(height)?)),
            (true, (width, height)) => Some(Self::Fit(number(width)?, number(height)?)),
        }
    }
}

/// Pixels of the answer for each pixel of the full image; the larger of the two directions.
fn scale(region: Region, size: Size, width: f64, height: f64) -> Option<f64> {
    let (w, h) = region.inside(width, height)?;
    let scale = match size {
        Size::Max => 1.0,
        Size::Width(out) => out / w,
        Size::Height(out) => out / h,
        Size::Exact(out_w, out_h) => (out_w / w).max(out_h / h),
        Size::Fit(out_w, out_h) => (out_w / w).min(out_h / h),
        Size::Percent(percent) => percent / 100.0,
        Size::Unbounded => return None,
    };
    scale.is_finite().then_some(scale)
}

fn numbers_of(text: &str) -> Option<[f64; 4]> {
    let mut parts = text.split(',');
    let numbers = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    if parts.next().is_some() {
        return None;
    }
    let [x, y, w, h] = numbers.map(number);
    Some([x?, y?, w?, h?])
}

/// A number without sign or exponent; anything else, `inf` and `NaN` included, is none.
fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty()
        && text.len() <= 20
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(region: &'a str, size: &'a str) -> ImageRequest<'a> {
        ImageRequest::plain(&format!("{region}/{size}/0/default.jpg")).into_owned()
    }

    #[test]
    fn how_much_of_the_image_a_request_shows() {
        let known = Some((8000, 6000));
        for (region, size, dimensions, expected) in [
            ("full", "200,", known, Some(200.0)),
            ("full", ",150", known, Some(200.0)),
            ("full", "!200,200", known, Some(200.0)),
            ("full", "max", known, Some(8000.0)),
            ("full", "full", known, Some(8000.0)),
            ("full", "pct:5", known, Some(400.0)),
            ("full", "^max", known, None),
            ("full", "^200,", known, Some(200.0)),
            // A small cut at full scale shows full detail.
            ("0,0,100,100", "100,100", known, Some(8000.0)),
            ("0,0,100,100", "max", known, Some(8000.0)),
            ("4000,3000,4000,3000", "100,", known, Some(200.0)),
            // Servers clip regions at the edge: this is really 100 by 100 pixels.
            ("7900,5900,100000,100000", "200,", known, Some(16000.0)),
            ("pct:99,99,100,100", "!200,200", known, Some(20000.0)),
            ("pct:0,0,50,50", "200,", known, Some(400.0)),
            ("square", "150,", known, Some(200.0)),
            // Stretched in one direction: the larger scale counts.
            ("full", "8000,10", known, Some(8000.0)),
            ("9000,0,10,10", "10,", known, None),
            ("0,0,0,0", "10,", known, None),
            ("full", "200,200", None, Some(200.0)),
            ("full", "!200,200", None, Some(200.0)),
            ("full", "200,", None, None),
            ("full", "max", None, None),
            ("square", "200,200", None, None),
            ("0,0,10,10", "10,10", None, None),
            ("full", "nan,", known, None),
            ("full", "-1,", known, None),
            ("full", "1e1,", known, None),
            ("full", "", known, None),
            ("1,2,3", "10,", known, None),
            ("1,2,3,4,5", "10,", known, None),
            ("full", "max", Some((0, 10)), None),
        ] {
            let shown = request(region, size).whole_image_at_this_scale(dimensions);
            let near = match (shown, expected) {
                (Some(shown), Some(expected)) => (shown - expected).abs() < 0.01 * expected,
                (shown, expected) => shown == expected,
            };
            assert!(near, "{region} {size}: {shown:?}, not {expected:?}");
        }
    }

    #[test]
    fn parts() {
        let image = request("full", "max");
        assert_eq!((image.region(), image.size(), image.rotation()), ("full", "max", "0"));
        assert_eq!((image.quality(), image.format()), ("default", "jpg"));
        assert_eq!(ImageRequest::plain("full/max/0/default.jpg"), image);
        let suffixless = ["full".into(), "1.5".into(), "0".into(), "default".into()];
        assert_eq!(ImageRequest::of(&suffixless, "full/1.5/0/default"), Err(Refusal::Unknown));
        let of = |size: &'static str| {
            let size = Cow::Owned(size.to_owned());
            ImageRequest::of(&["full".into(), size, "0".into(), "default.jpg".into()], "")
        };
        assert_eq!(of("max"), Ok(request("full", "max")));
        assert_eq!(of("a/b"), Err(Refusal::Ambiguous));
    }
}
