//! An image's size in `info.json`, read as tolerantly as viewers do.

use serde_json::Value;

/// Width and height. Viewers read what JavaScript takes for a number: with a fraction of zero, with an
/// exponent, as a text; and behind a mark of byte order.
///
/// # Errors
///
/// Why there is none.
pub(super) fn size(document: &[u8]) -> Result<(u32, u32), &'static str> {
    if document.starts_with(&[0x1f, 0x8b]) {
        return Err("info.json is compressed although that was not asked for");
    }
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let info: Value = serde_json::from_slice(document).map_err(|error| {
        if error.is_eof() { "info.json breaks off" } else { "info.json is no JSON" }
    })?;
    let (width, height) = (info.get("width"), info.get("height"));
    let (Some(width), Some(height)) = (width, height) else {
        return Err("info.json has no width and height");
    };
    let size = number(width).zip(number(height));
    size.ok_or("info.json has a width or height that is no whole number of pixels")
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
            (r#"{"width":6000,"height":4000}"#, Ok((6000, 4000))),
            (r#"{"width":6000.0,"height":4e3}"#, Ok((6000, 4000))),
            (r#"{"width":"6000","height":" 4000 "}"#, Ok((6000, 4000))),
            ("\u{feff}{\"width\":1,\"height\":4294967295}", Ok((1, u32::MAX))),
            (r#"{"width":1,"width":2,"height":3}"#, Ok((2, 3))),
            (r#"{"width":0,"height":4000}"#, Err("pixels")),
            (r#"{"width":-1,"height":4000}"#, Err("pixels")),
            (r#"{"width":1.5,"height":4000}"#, Err("pixels")),
            (r#"{"width":4294967296,"height":1}"#, Err("pixels")),
            (r#"{"width":null,"height":1}"#, Err("pixels")),
            (r#"{"width":"wide","height":1}"#, Err("pixels")),
            (r#"{"width":6000"#, Err("breaks off")),
            ("<html>", Err("no JSON")),
            ("\u{1f}", Err("no JSON")),
            (r#"{"height":1}"#, Err("no width")),
            ("[]", Err("no width")),
            ("", Err("breaks off")),
        ] {
            let said = size(document.as_bytes());
            match expected {
                Ok(size) => assert_eq!(said, Ok(size), "{document}"),
                Err(why) => {
                    assert!(said.is_err_and(|own| own.contains(why)), "{document}: {said:?}");
                }
            }
        }
        let compressed = [0x1f, 0x8b, 8, 0];
        assert!(size(&compressed).is_err_and(|own| own.contains("compressed")));
    }
}
