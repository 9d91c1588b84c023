//! How large the whole image would be at the scale of a request, by every server's reckoning.

/// Pixels of the longer side of the whole image; `None` where servers differ.
pub(super) fn whole_image(region: &str, size: &str, dimensions: Option<(u32, u32)>) -> Option<f64> {
    let size = Size::parse(size)?;
    match dimensions {
        Some((width, height)) if width > 0 && height > 0 => {
            let (width, height) = (f64::from(width), f64::from(height));
            match Region::parse(region)?.inside(width, height)? {
                (w, h) if w >= width && h >= height => of_the_whole(size, width, height),
                (w, h) => of_a_cut(size, w, h).map(|scale| scale * width.max(height)),
            }
        }
        // Of an image of unknown size only the whole, within given bounds, is sure.
        _ => match (region, size) {
            ("full", Size::Exact(width, height) | Size::Fit(width, height)) => {
                Some(width.max(height))
            }
            _ => None,
        },
    }
}

/// The longer side of an answer that shows all.
fn of_the_whole(size: Size, width: f64, height: f64) -> Option<f64> {
    let longer = width.max(height);
    let shown = match size {
        Size::Max => longer,
        Size::Width(out) => out.max((out * height / width).ceil()),
        Size::Height(out) => out.max((out * width / height).ceil()),
        // Stretched in one direction: the larger scale counts.
        Size::Exact(out_w, out_h) => (out_w / width).max(out_h / height) * longer,
        Size::Fit(out_w, out_h) => out_w.max(out_h),
        Size::Percent(percent) => (percent * longer / 100.0).ceil(),
    };
    shown.is_finite().then_some(shown)
}

/// Pixels of the answer for each pixel of the image, where a part of it is shown: the most in either
/// direction. A side that would be less than a pixel is one.
fn of_a_cut(size: Size, w: f64, h: f64) -> Option<f64> {
    let scale = match size {
        Size::Max => 1.0,
        Size::Width(out) => (out / w).max((out * h / w).ceil() / h),
        Size::Height(out) => (out / h).max((out * w / h).ceil() / w),
        // A server that makes no picture so large makes one as wide as high.
        Size::Exact(out_w, out_h) => out_w.max(out_h) / w.min(h),
        Size::Fit(out_w, out_h) => {
            let (out, longer, shorter) = (out_w.max(out_h), w.max(h), w.min(h));
            (out / longer).max((out * shorter / longer).ceil() / shorter)
        }
        Size::Percent(percent) => {
            let out = |side: f64| (percent * side / 100.0).ceil() / side;
            out(w).max(out(h))
        }
    };
    scale.is_finite().then_some(scale)
}

#[derive(Clone, Copy, Debug)]
enum Region {
    Full,
    Square,
    Pixels([f64; 4]),
}

impl Region {
    fn parse(text: &str) -> Option<Self> {
        match text {
            // Other percentages are pixels that servers round in different ways.
            "full" | "pct:0,0,100,100" => Some(Self::Full),
            "square" => Some(Self::Square),
            _ => {
                let mut parts = text.split(',');
                let numbers = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
                if parts.next().is_some() {
                    return None;
                }
                let [x, y, w, h] = numbers.map(whole_number);
                Some(Self::Pixels([x?, y?, w?, h?]))
            }
        }
    }

    /// Width and height of the part of the region that lies inside the image.
    fn inside(self, width: f64, height: f64) -> Option<(f64, f64)> {
        let [x, y, w, h] = match self {
            Self::Full => return Some((width, height)),
            Self::Square => return Some((width.min(height), width.min(height))),
            Self::Pixels(pixels) => pixels,
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
}

impl Size {
    fn parse(text: &str) -> Option<Self> {
        if matches!(text, "max" | "full") {
            return Some(Self::Max);
        }
        // How large `^max` is, the server alone knows.
        let text = text.strip_prefix('^').unwrap_or(text);
        if let Some(percent) = text.strip_prefix("pct:") {
            return some_number(percent).map(Self::Percent);
        }
        let (fit, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        match (fit, text.split_once(',')?) {
            (false, (width, "")) => some_number(width).map(Self::Width),
            (false, ("", height)) => some_number(height).map(Self::Height),
            (false, (width, height)) => {
                Some(Self::Exact(some_number(width)?, some_number(height)?))
            }
            (true, (width, height)) => Some(Self::Fit(some_number(width)?, some_number(height)?)),
        }
    }
}

/// A number of at most nine digits, in its one spelling: what is longer, some servers cut.
fn whole_number(text: &str) -> Option<f64> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let padded = text.len() > 1 && text.starts_with('0');
    (digits && !padded).then(|| text.parse().ok()).flatten()
}

/// The same, and not zero, which servers take for all sorts of things.
fn some_number(text: &str) -> Option<f64> {
    whole_number(text).filter(|number| *number > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AL-07: no server answers larger than is told here.
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
            ("full", "^200,", known, Some(200.0)),
            ("full", "^!200,100", known, Some(200.0)),
            ("pct:0,0,100,100", "200,", known, Some(200.0)),
            ("0,0,8000,6000", "200,", known, Some(200.0)),
            ("0,0,9000,9000", "200,", known, Some(200.0)),
            // The other side rounds up.
            ("full", ",3", Some((1000, 999)), Some(4.0)),
            ("full", "pct:1", Some((101, 10)), Some(2.0)),
            ("full", "400,", Some((40_000, 3)), Some(400.0)),
            // A bound that the server does not go up to: it sends its largest picture.
            ("full", "!99999,1", Some((4000, 3000)), Some(99_999.0)),
            ("full", "!401,1", Some((4000, 3000)), Some(401.0)),
            ("full", "!1,99999", known, Some(99_999.0)),
            // A small cut at full scale shows full detail.
            ("0,0,100,100", "100,100", known, Some(8000.0)),
            ("0,0,100,100", "max", known, Some(8000.0)),
            ("4000,3000,4000,3000", "100,", known, Some(200.0)),
            ("0,0,4000,300", "400,30", known, Some(400.0 / 300.0 * 8000.0)),
            // No less than a pixel.
            ("0,0,1,1", "pct:1", known, Some(8000.0)),
            ("0,0,1000,1", "10,", known, Some(8000.0)),
            ("0,0,1000,1", "!10,10", known, Some(8000.0)),
            // Servers clip regions at the edge: this is really 100 by 100 pixels.
            ("7900,5900,100000,100000", "200,", known, Some(16000.0)),
            ("square", "150,", known, Some(200.0)),
            // Stretched in one direction: the larger scale counts.
            ("full", "8000,10", known, Some(8000.0)),
            ("9000,0,10,10", "10,", known, None),
            ("0,0,0,0", "10,", known, None),
            ("full", "200,200", None, Some(200.0)),
            ("full", "!200,200", None, Some(200.0)),
            ("full", "200,", None, None),
            ("full", "max", None, None),
            ("full", "pct:5", None, None),
            ("square", "200,200", None, None),
            ("0,0,10,10", "10,10", None, None),
            ("full", "max", Some((0, 10)), None),
        ] {
            let shown = whole_image(region, size, dimensions);
            let near = match (shown, expected) {
                (Some(shown), Some(expected)) => (shown - expected).abs() < 1e-6 * expected,
                (shown, expected) => shown == expected,
            };
            assert!(near, "{region} {size}: {shown:?}, not {expected:?}");
        }
    }

    /// AL-07: what servers round, or read in different ways, is not told.
    #[test]
    fn what_can_not_be_told() {
        for (region, size) in [
            ("full", "^max"),
            ("full", "^full"),
            ("full", "200.5,"),
            ("full", "!200.9,200"),
            ("full", "pct:0.5"),
            ("full", "pct:4.999"),
            ("full", "0,"),
            ("full", ",0"),
            ("full", "0,0"),
            ("full", "!0,200"),
            ("full", "pct:0"),
            ("full", "0200,"),
            ("full", "4294967496,"),
            ("full", "18446744073709551816,1"),
            ("full", "nan,"),
            ("full", "-1,"),
            ("full", "+1,"),
            ("full", "1e1,"),
            ("full", " 1,"),
            ("full", "\u{661},"),
            ("full", ","),
            ("full", "!,"),
            ("full", "!100,"),
            ("full", "100"),
            ("full", "1,2,3"),
            ("full", ""),
            ("full", "!^200,200"),
            ("FULL", "200,"),
            ("pct:0,0,50,50", "200,"),
            ("pct:99,99,100,100", "!200,200"),
            ("0.5,0,10,10", "1,"),
            ("-1,0,10,10", "1,"),
            ("00,0,10,10", "1,"),
            ("4294967296,0,10,10", "1,"),
            ("1,2,3", "10,"),
            ("1,2,3,4,5", "10,"),
            ("", "10,"),
        ] {
            assert_eq!(whole_image(region, size, Some((8000, 6000))), None, "{region} {size}");
        }
    }
}
