//! `info.json`, in the form of each version of the Image API.

use serde_json::{Value, json};

use super::ImageApi;
use super::request::MAX_EDGE;

const TILE: u32 = 512;

/// The document for a picture of `full` pixels whose image service is `id`.
pub fn document(api: ImageApi, id: &str, full: (u32, u32)) -> Value {
    let (width, height) = full;
    let tiles = json!([{ "width": TILE, "height": TILE, "scaleFactors": scale_factors(full) }]);
    let sizes = sizes(full);
    match api {
        ImageApi::V3 => json!({
            "@context": "http://iiif.io/api/image/3/context.json",
            "id": id,
            "type": "ImageService3",
            "protocol": "http://iiif.io/api/image",
            "profile": "level2",
            "width": width,
            "height": height,
            "maxWidth": MAX_EDGE,
            "maxHeight": MAX_EDGE,
            "sizes": sizes,
            "tiles": tiles,
            "preferredFormats": ["jpg"],
            "extraQualities": ["color", "gray", "bitonal"],
            "extraFeatures": ["mirroring", "sizeUpscaling"],
        }),
        ImageApi::V2 => json!({
            "@context": "http://iiif.io/api/image/2/context.json",
            "@id": id,
            "protocol": "http://iiif.io/api/image",
            "profile": [
                "http://iiif.io/api/image/2/level2.json",
                {
                    "formats": ["jpg", "png"],
                    "qualities": ["default", "color", "gray", "bitonal"],
                    "supports": ["mirroring", "regionSquare", "sizeAboveFull"],
                    "maxWidth": MAX_EDGE,
                    "maxHeight": MAX_EDGE,
                }
            ],
            "width": width,
            "height": height,
            "sizes": sizes,
            "tiles": tiles,
        }),
    }
}

/// 1, 2, 4 ... until one tile shows the whole picture.
fn scale_factors((width, height): (u32, u32)) -> Vec<u32> {
    let mut factors = vec![1_u32];
    while let Some(last) = factors.last().copied() {
        if width.max(height).div_ceil(last) <= TILE {
            break;
        }
        factors.push(last * 2);
    }
    factors
}

/// The whole picture at each scale factor, smallest first, so far as an image
/// may be that large.
fn sizes(full: (u32, u32)) -> Vec<Value> {
    scale_factors(full)
        .into_iter()
        .rev()
        .map(|factor| (full.0.div_ceil(factor), full.1.div_ceil(factor)))
        .filter(|(width, height)| *width <= MAX_EDGE && *height <= MAX_EDGE)
        .map(|(width, height)| json!({ "width": width, "height": height }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_factors_end_where_one_tile_is_enough() {
        for (full, expected) in [
            ((1, 1), vec![1]),
            ((512, 512), vec![1]),
            ((513, 1), vec![1, 2]),
            ((9000, 6000), vec![1, 2, 4, 8, 16, 32]),
            ((1, u32::MAX), (0..24).map(|power| 1 << power).collect()),
        ] {
            assert_eq!(scale_factors(full), expected, "{full:?}");
        }
    }

    #[test]
    fn sizes_keep_to_the_limit() {
        assert_eq!(
            sizes((9000, 6000)),
            [
                json!({ "width": 282, "height": 188 }),
                json!({ "width": 563, "height": 375 }),
                json!({ "width": 1125, "height": 750 }),
                json!({ "width": 2250, "height": 1500 }),
            ]
        );
    }
}
