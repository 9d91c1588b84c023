//! An image's size in `info.json`, read as tolerantly as viewers do.

use serde_json::Value;

/// Width and height. Viewers read what JavaScript takes for a number: with a fraction of zero, with an
/// exponent, as a text; and behind a mark of byte order.
pub(super) fn size(document: &[u8]) -> Option<(u32, u32)> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let info: Value = serde_json::from_slice(document).ok()?;
    Some((number(info.get("width")?)?, number(info.get("height")?)?))
}

fn number(value: &Value) -> Option<u32> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    let whole = number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
    whole.then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_as_viewers_read_them() {
        for (document, expected) in [
            (r#"{"width":6000,"height":4000}"#, Some((6000, 4000))),
            (r#"{"width":6000.0,"height":4e3}"#, Some((6000, 4000))),
            (r#"{"width":"6000","height":" 4000 "}"#, Some((6000, 4000))),
            ("\u{feff}{\"width\":1,\"height\":4294967295}", Some((1, u32::MAX))),
            (r#"{"width":1,"width":2,"height":3}"#, Some((2, 3))),
            (r#"{"width":0,"height":4000}"#, None),
            (r#"{"width":-1,"height":4000}"#, None),
            (r#"{"width":1.5,"height":4000}"#, None),
            (r#"{"width":4294967296,"height":1}"#, None),
            (r#"{"width":null,"height":1}"#, None),
            (r#"{"width":"wide","height":1}"#, None),
            (r#"{"height":1}"#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(size(document.as_bytes()), expected, "{document}");
        }
    }
}
