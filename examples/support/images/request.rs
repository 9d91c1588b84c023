//! Image requests: the four path segments after the identifier, read for
//! version 3.0 or 2.1 of the Image API and then fitted to a picture.

use axum::http::StatusCode;

use super::ImageApi;

/// No side of a delivered image is longer, whatever was asked for.
pub const MAX_EDGE: u32 = 4000;

/// Why a request gets no image: a status and one line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub reason: String,
}

impl Refusal {
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason: reason.into() }
    }

    fn not_implemented(reason: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_IMPLEMENTED, reason: reason.into() }
    }
}

/// A rectangle of a picture, in its pixels. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    Color,
    Gray,
    Bitonal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Jpg,
    Png,
}

impl Format {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// A request fitted to a picture: which part of it to deliver, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order {
    pub region: Rect,
    /// Width and height after scaling, before rotation.
    pub size: (u32, u32),
    pub mirrored: bool,
    /// Clockwise, after mirroring.
    pub quarter_turns: u8,
    pub quality: Quality,
    pub format: Format,
}

/// The four segments as they stand in the path, percent-decoded.
#[derive(Debug, Clone, Copy)]
pub struct Segments<'a> {
    pub region: &'a str,
    pub size: &'a str,
    pub rotation: &'a str,
    pub quality_format: &'a str,
}

impl Segments<'_> {
    /// What these segments ask of a picture of `full` pixels.
    pub fn fit(self, api: ImageApi, full: (u32, u32)) -> Result<Order, Refusal> {
        let region = region(self.region, full)?;
        let size = size(self.size, api, (region.width, region.height))?;
        let (mirrored, quarter_turns) = rotation(self.rotation)?;
        let (quality, format) = quality_format(self.quality_format)?;
        Ok(Order { region, size, mirrored, quarter_turns, quality, format })
    }
}

fn region(text: &str, full: (u32, u32)) -> Result<Rect, Refusal> {
    let bad = || {
        Refusal::bad_request(format!("region {text:?} is not full, square, x,y,w,h or pct:x,y,w,h"))
    };
    let (full_width, full_height) = (u64::from(full.0), u64::from(full.1));
    let [x, y, width, height] = match text {
        "full" => [0, 0, full_width, full_height],
        "square" => {
            let edge = full_width.min(full_height);
            [(full_width - edge) / 2, (full_height - edge) / 2, edge, edge]
        }
        _ => {
            if let Some(percents) = text.strip_prefix("pct:") {
                let [x, y, width, height] = four(percents, percent).ok_or_else(bad)?;
                if width <= 0.0 || height <= 0.0 {
                    return Err(Refusal::bad_request(format!("region {text:?} is empty")));
                }
                // A region of some width has at least one pixel.
                [
                    share(x, full.0),
                    share(y, full.1),
                    share(width, full.0).max(1),
                    share(height, full.1).max(1),
                ]
            } else {
                four(text, whole).ok_or_else(bad)?
            }
        }
    };
    if width == 0 || height == 0 {
        return Err(Refusal::bad_request(format!("region {text:?} is empty")));
    }
    if x >= full_width || y >= full_height {
        return Err(Refusal::bad_request(format!(
            "region {text:?} lies outside the picture of {full_width} x {full_height}"
        )));
    }
    Ok(Rect {
        x: narrow(x),
        y: narrow(y),
        width: narrow(width.min(full_width - x)),
        height: narrow(height.min(full_height - y)),
    })
}

fn size(text: &str, api: ImageApi, region: (u32, u32)) -> Result<(u32, u32), Refusal> {
    let bad =
        || Refusal::bad_request(format!("size {text:?} is none of the forms of this version"));
    // Version 2.1 has no sign for upscaling: every form may upscale.
    let (form, upscale) = match (api, text.strip_prefix('^')) {
        (ImageApi::V3, Some(form)) => (form, true),
        (ImageApi::V3, None) => (text, false),
        (ImageApi::V2, _) => (text, true),
    };
    let own = (u64::from(region.0), u64::from(region.1));
    let limit = (u64::from(MAX_EDGE), u64::from(MAX_EDGE));
    let (width, height) = match form {
        // `max` of 2.1 is `full` cut to the limits, so never larger.
        "max" if upscale && api == ImageApi::V3 => within(own, limit),
        "max" => within(own, (limit.0.min(own.0), limit.1.min(own.1))),
        "full" if api == ImageApi::V2 => own,
        _ => {
            if let Some(n) = form.strip_prefix("pct:") {
                let n = percent(n).ok_or_else(bad)?;
                if n <= 0.0 {
                    return Err(Refusal::bad_request(format!("size {text:?} is empty")));
                }
                (share(n, region.0).max(1), share(n, region.1).max(1))
            } else if let Some(boxed) = form.strip_prefix('!') {
                let (width, height) = boxed.split_once(',').ok_or_else(bad)?;
                let (width, height) =
                    (whole(width).ok_or_else(bad)?, whole(height).ok_or_else(bad)?);
                let (mut width, mut height) = (width.min(limit.0), height.min(limit.1));
                if width == 0 || height == 0 {
                    return Err(Refusal::bad_request(format!("size {text:?} is empty")));
                }
                if !upscale {
                    (width, height) = (width.min(own.0), height.min(own.1));
                }
                within(own, (width, height))
            } else {
                match form.split_once(',').ok_or_else(bad)? {
                    ("", height) => {
                        let height = whole(height).ok_or_else(bad)?;
                        (scaled(own.0, height, own.1), height)
                    }
                    (width, "") => {
                        let width = whole(width).ok_or_else(bad)?;
                        (width, scaled(own.1, width, own.0))
                    }
                    (width, height) => {
                        (whole(width).ok_or_else(bad)?, whole(height).ok_or_else(bad)?)
                    }
                }
            }
        }
    };
    if width == 0 || height == 0 {
        return Err(Refusal::bad_request(format!("size {text:?} is empty")));
    }
    if !upscale && (width > own.0 || height > own.1) {
        return Err(Refusal::bad_request(format!(
            "size {text:?} is larger than the region of {} x {}: say ^{text} to upscale",
            own.0, own.1
        )));
    }
    if width > limit.0 || height > limit.1 {
        return Err(Refusal::bad_request(format!(
            "size {text:?} gives {width} x {height}, more than {MAX_EDGE} on a side"
        )));
    }
    Ok((narrow(width), narrow(height)))
}

fn rotation(text: &str) -> Result<(bool, u8), Refusal> {
    let (mirrored, degrees) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let bad =
        || Refusal::bad_request(format!("rotation {text:?} is not n or !n with n from 0 to 360"));
    let degrees = percent(degrees).filter(|n| *n <= 360.0).ok_or_else(bad)?;
    for (quarter_turns, exact) in [(0, 0.0), (1, 90.0), (2, 180.0), (3, 270.0), (0, 360.0)] {
        if (degrees - exact).abs() < f64::EPSILON {
            return Ok((mirrored, quarter_turns));
        }
    }
    Err(Refusal::not_implemented(format!(
        "rotation {text:?}: this server turns by 0, 90, 180 and 270 degrees"
    )))
}

fn quality_format(text: &str) -> Result<(Quality, Format), Refusal> {
    let (quality, format) = text
        .rsplit_once('.')
        .ok_or_else(|| Refusal::bad_request(format!("{text:?} is not quality.format")))?;
    let quality = match quality {
        "default" | "color" => Quality::Color,
        "gray" => Quality::Gray,
        "bitonal" => Quality::Bitonal,
        _ => {
            return Err(Refusal::bad_request(format!("there is no quality {quality:?}")));
        }
    };
    let format = match format {
        "jpg" => Format::Jpg,
        "png" => Format::Png,
        "tif" | "gif" | "jp2" | "pdf" | "webp" => {
            return Err(Refusal::not_implemented(format!(
                "format {format:?}: this server makes jpg and png"
            )));
        }
        _ => {
            return Err(Refusal::bad_request(format!("there is no format {format:?}")));
        }
    };
    Ok((quality, format))
}

/// Four values between commas, no more and no fewer.
fn four<T>(text: &str, read: fn(&str) -> Option<T>) -> Option<[T; 4]> {
    let mut parts = text.split(',').map(read);
    let values = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(values)
}

/// A whole number, cut to what later arithmetic can hold: a region or size
/// beyond 32 bits means the same as one at 32 bits.
fn whole(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX).min(u64::from(u32::MAX)))
}

/// Digits with at most one point, as the Image API writes numbers: no sign
/// and no exponent, which Rust's own parser would take.
fn percent(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let points = text.bytes().filter(|byte| *byte == b'.').count();
    if digits == 0 || points > 1 || digits + points != text.len() {
        return None;
    }
    text.parse().ok()
}

/// `percent` of `whole`, rounded.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and `as` cuts a value beyond the range to its end"
)]
fn share(percent: f64, whole: u32) -> u64 {
    let value = (f64::from(whole) * percent / 100.0).round();
    (value as u64).min(u64::from(u32::MAX))
}

/// `length` scaled by `numerator / denominator`, rounded, at least one pixel
/// unless scaled to nothing.
fn scaled(length: u64, numerator: u64, denominator: u64) -> u64 {
    let rounded = (length * numerator + denominator / 2) / denominator;
    if numerator == 0 { 0 } else { rounded.max(1) }
}

/// The largest size with the shape of `own` inside `limit`.
fn within(own: (u64, u64), limit: (u64, u64)) -> (u64, u64) {
    if own.0 * limit.1 >= own.1 * limit.0 {
        (limit.0, scaled(own.1, limit.0, own.0).min(limit.1))
    } else {
        (scaled(own.0, limit.1, own.1).min(limit.0), limit.1)
    }
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: (u32, u32) = (6000, 4000);

    #[test]
    fn regions() {
        for (text, expected) in [
            ("full", Some((0, 0, 6000, 4000))),
            ("square", Some((1000, 0, 4000, 4000))),
            ("10,20,30,40", Some((10, 20, 30, 40))),
            ("5990,3990,512,512", Some((5990, 3990, 10, 10))),
            ("0,0,99999999999999999999,1", Some((0, 0, 6000, 1))),
            ("pct:25,50,10,12.5", Some((1500, 2000, 600, 500))),
            ("pct:0,0,0.0001,100", Some((0, 0, 1, 4000))),
            ("pct:50,50,100,100", Some((3000, 2000, 3000, 2000))),
            ("pct:.5,0,1,1", Some((30, 0, 60, 40))),
            ("6000,0,1,1", None),
            ("0,4000,1,1", None),
            ("99999999999999999999,0,1,1", None),
            ("0,0,0,1", None),
            ("pct:0,0,0,10", None),
            ("pct:100,0,10,10", None),
            ("pct:-1,0,10,10", None),
            ("pct:1e1,0,10,10", None),
            ("pct:1,1,1", None),
            ("1,2,3", None),
            ("1,2,3,4,5", None),
            ("-1,2,3,4", None),
            ("+1,2,3,4", None),
            ("1.5,2,3,4", None),
            ("Full", None),
            ("", None),
        ] {
            let expected = expected.map(|(x, y, width, height)| Rect { x, y, width, height });
            assert_eq!(region(text, FULL).ok(), expected, "region {text:?}");
        }
        let one = Rect { x: 0, y: 0, width: 1, height: 1 };
        assert_eq!(region("square", (1, 1)), Ok(one));
        assert_eq!(region("pct:0,0,1,1", (1, 1)), Ok(one));
    }

    #[test]
    fn sizes() {
        use ImageApi::{V2, V3};
        for (api, text, region, expected) in [
            (V3, "max", (3000, 2000), Some((3000, 2000))),
            (V3, "max", (6000, 4000), Some((4000, 2667))),
            (V3, "max", (4000, 6000), Some((2667, 4000))),
            (V3, "^max", (3000, 2000), Some((4000, 2667))),
            (V3, "^max", (1, 1), Some((4000, 4000))),
            (V3, "full", (300, 200), None),
            (V3, "300,", (3000, 2000), Some((300, 200))),
            (V3, ",300", (3000, 2000), Some((450, 300))),
            (V3, "3000,", (3000, 2000), Some((3000, 2000))),
            (V3, "3001,", (3000, 2000), None),
            (V3, "^3001,", (3000, 2000), Some((3001, 2001))),
            (V3, ",2001", (3000, 2000), None),
            (V3, "^,2001", (3000, 2000), Some((3002, 2001))),
            (V3, "^4001,", (3000, 2000), None),
            (V3, "^99999999999999999999,", (3000, 2000), None),
            (V3, "pct:50", (3000, 2000), Some((1500, 1000))),
            (V3, "pct:0.001", (3000, 2000), Some((1, 1))),
            (V3, "pct:0", (3000, 2000), None),
            (V3, "pct:101", (3000, 2000), None),
            (V3, "^pct:101", (3000, 2000), Some((3030, 2020))),
            (V3, "^pct:999999999999999999999999", (3000, 2000), None),
            (V3, "10,20", (3000, 2000), Some((10, 20))),
            (V3, "10,2001", (3000, 2000), None),
            (V3, "^10,2001", (3000, 2000), Some((10, 2001))),
            (V3, "!600,600", (3000, 2000), Some((600, 400))),
            (V3, "!600,100", (3000, 2000), Some((150, 100))),
            (V3, "!9000,9000", (3000, 2000), Some((3000, 2000))),
            (V3, "^!3300,9000", (3000, 2000), Some((3300, 2200))),
            (V3, "^!9000,9000", (3000, 2000), Some((4000, 2667))),
            (V3, "!0,10", (3000, 2000), None),
            (V3, "1,", (10, 6000), Some((1, 600))),
            (V3, ",1", (10, 6000), Some((1, 1))),
            (V3, "0,", (3000, 2000), None),
            (V3, ",", (3000, 2000), None),
            (V3, "300", (3000, 2000), None),
            (V3, "1,2,3", (3000, 2000), None),
            (V3, "^^300,", (3000, 2000), None),
            (V3, "!^300,300", (3000, 2000), None),
            (V3, "!300,", (3000, 2000), None),
            (V3, "", (3000, 2000), None),
            (V2, "full", (3000, 2000), Some((3000, 2000))),
            (V2, "full", (6000, 4000), None),
            (V2, "max", (6000, 4000), Some((4000, 2667))),
            (V2, "max", (300, 200), Some((300, 200))),
            (V2, "3300,", (3000, 2000), Some((3300, 2200))),
            (V2, "!600,600", (300, 200), Some((600, 400))),
            (V2, "pct:200", (300, 200), Some((600, 400))),
            (V2, "^300,", (3000, 2000), None),
        ] {
            assert_eq!(
                size(text, api, region).ok(),
                expected,
                "{api:?} size {text:?} of {region:?}"
            );
        }
    }

    #[test]
    fn whatever_is_asked_the_answer_fits() {
        let numbers = ["", "0", "1", "511", "4001", "4294967295", "99999999999999999999", "1e9"];
        let mut texts = vec!["full".to_owned(), "square".to_owned(), "max".to_owned()];
        for a in numbers {
            for b in numbers {
                texts.push(format!("{a},{b}"));
                texts.push(format!("{a},{b},{b},{a}"));
                texts.push(format!("!{a},{b}"));
                texts.push(format!("pct:{a}.{b},0,{b},.{a}"));
                texts.push(format!("pct:{a}.{b}"));
            }
        }
        texts.push(format!("pct:{}", "9".repeat(400)));
        let shapes = [(1, 1), (1, u32::MAX), (u32::MAX, 1), (u32::MAX, u32::MAX), (9000, 6000)];
        for full in shapes {
            for text in &texts {
                if let Ok(rect) = region(text, full) {
                    assert!(rect.width > 0 && rect.x.checked_add(rect.width) <= Some(full.0));
                    assert!(rect.height > 0 && rect.y.checked_add(rect.height) <= Some(full.1));
                }
                for (api, text) in [
                    (ImageApi::V2, text.clone()),
                    (ImageApi::V3, text.clone()),
                    (ImageApi::V3, format!("^{text}")),
                ] {
                    if let Ok((width, height)) = size(&text, api, full) {
                        assert!((1..=MAX_EDGE).contains(&width), "{text} of {full:?}");
                        assert!((1..=MAX_EDGE).contains(&height), "{text} of {full:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn rotations() {
        for (text, expected) in [
            ("0", Ok((false, 0))),
            ("90", Ok((false, 1))),
            ("180.0", Ok((false, 2))),
            ("!270", Ok((true, 3))),
            ("360", Ok((false, 0))),
            ("22.5", Err(StatusCode::NOT_IMPLEMENTED)),
            ("!1", Err(StatusCode::NOT_IMPLEMENTED)),
            ("361", Err(StatusCode::BAD_REQUEST)),
            ("-90", Err(StatusCode::BAD_REQUEST)),
            ("!", Err(StatusCode::BAD_REQUEST)),
            ("!!90", Err(StatusCode::BAD_REQUEST)),
            ("9e1", Err(StatusCode::BAD_REQUEST)),
            ("NaN", Err(StatusCode::BAD_REQUEST)),
            ("", Err(StatusCode::BAD_REQUEST)),
        ] {
            let result = rotation(text).map_err(|refusal| refusal.status);
            assert_eq!(result, expected, "rotation {text:?}");
        }
    }

    #[test]
    fn qualities_and_formats() {
        for (text, expected) in [
            ("default.jpg", Ok((Quality::Color, Format::Jpg))),
            ("color.png", Ok((Quality::Color, Format::Png))),
            ("gray.jpg", Ok((Quality::Gray, Format::Jpg))),
            ("bitonal.png", Ok((Quality::Bitonal, Format::Png))),
            ("default.tif", Err(StatusCode::NOT_IMPLEMENTED)),
            ("default.exe", Err(StatusCode::BAD_REQUEST)),
            ("default.JPG", Err(StatusCode::BAD_REQUEST)),
            ("native.jpg", Err(StatusCode::BAD_REQUEST)),
            ("default", Err(StatusCode::BAD_REQUEST)),
            (".jpg", Err(StatusCode::BAD_REQUEST)),
            ("", Err(StatusCode::BAD_REQUEST)),
        ] {
            let result = quality_format(text).map_err(|refusal| refusal.status);
            assert_eq!(result, expected, "{text:?}");
        }
    }
}
