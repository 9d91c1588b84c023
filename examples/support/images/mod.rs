//! A dynamic image server: IIIF Image API level 2, versions 3.0 and 2.1.
//!
//! Its pictures are drawn for each request or read from a folder. It knows
//! nothing of who asks: that is for the layers around it.

mod folder;
mod info;
mod lettering;
mod marks;
mod noise;
mod palette;
mod pen;
mod picture;
mod plan;
mod request;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as Segment, State};
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK,
    LOCATION, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, ImageResult, RgbImage, imageops};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use folder::PictureFile;
use picture::Picture;
use request::{Format, Order, Quality, Rect, Refusal, Segments};

/// What a path segment may hold as it is (RFC 3986, unreserved), and the colon
/// that many identifiers have.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A version of the IIIF Image API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageApi {
    V2,
    V3,
}

/// Pictures by identifier. Clones share them.
#[derive(Debug, Clone)]
pub struct ImageServer {
    pictures: Arc<HashMap<String, Source>>,
}

#[derive(Debug, Clone)]
enum Source {
    Rendered(Arc<Picture>),
    File(Arc<PictureFile>),
}

impl ImageServer {
    /// One drawn picture per identifier, each of another place and in other
    /// colours, with the given long edge in pixels.
    pub fn rendered(identifiers: &[(&str, u32)]) -> Self {
        let pictures = identifiers.iter().enumerate().map(|(index, (identifier, long_edge))| {
            let picture = Picture::new(index, identifier, *long_edge);
            ((*identifier).to_owned(), Source::Rendered(Arc::new(picture)))
        });
        Self { pictures: Arc::new(pictures.collect()) }
    }

    /// The JPEG, PNG and TIFF pictures of a folder, dealt out to the
    /// identifiers in turn. The stem of each file's name is a further
    /// identifier. Pictures have their own size, whatever the identifiers say.
    pub fn from_folder(dir: &Path, identifiers: &[(&str, u32)]) -> Result<Self, String> {
        let files: Vec<_> = PictureFile::list(dir)?.into_iter().map(Arc::new).collect();
        let dealt = identifiers.iter().zip(files.iter().cycle());
        let mut pictures: HashMap<_, _> = dealt
            .map(|((identifier, _), file)| ((*identifier).to_owned(), Arc::clone(file)))
            .map(|(identifier, file)| (identifier, Source::File(file)))
            .collect();
        for file in &files {
            if let Some(stem) = file.stem() {
                let source = || Source::File(Arc::clone(file));
                pictures.entry(stem.to_owned()).or_insert_with(source);
            }
        }
        Ok(Self { pictures: Arc::new(pictures) })
    }

    /// Width and height of a picture in pixels.
    pub fn size(&self, identifier: &str) -> Option<(u32, u32)> {
        self.pictures.get(identifier).map(Source::size)
    }

    /// The routes of all pictures under `prefix`, a path such as `/iiif/3`.
    /// `base` is the prefix as clients see it, an absolute URL.
    pub fn routes(&self, prefix: &str, base: &str, version: ImageApi) -> Router {
        let prefix = prefix.trim_end_matches('/');
        let service =
            Service { server: self.clone(), base: base.trim_end_matches('/').into(), api: version };
        Router::new()
            .route(&format!("{prefix}/{{id}}"), get(redirect))
            .route(&format!("{prefix}/{{id}}/info.json"), get(information))
            .route(
                &format!("{prefix}/{{id}}/{{region}}/{{size}}/{{rotation}}/{{file}}"),
                get(image),
            )
            .layer(map_response(any_origin))
            .with_state(service)
    }
}

impl Source {
    fn size(&self) -> (u32, u32) {
        match self {
            Self::Rendered(picture) => picture.size(),
            Self::File(file) => file.size(),
        }
    }

    fn fingerprint(&self) -> u32 {
        match self {
            Self::Rendered(picture) => picture.fingerprint(),
            Self::File(file) => file.fingerprint(),
        }
    }

    fn render(&self, region: Rect, (width, height): (u32, u32)) -> Result<RgbImage, String> {
        match self {
            Self::Rendered(picture) => Ok(picture.render(region, width, height)),
            Self::File(file) => file.render(region, width, height),
        }
    }

    /// The file that answers an order. Takes its time: not for async code.
    fn fulfil(&self, order: Order) -> Result<Vec<u8>, String> {
        let mut image = self.render(order.region, order.size)?;
        if order.mirrored {
            imageops::flip_horizontal_in_place(&mut image);
        }
        image = match order.quarter_turns {
            1 => imageops::rotate90(&image),
            2 => imageops::rotate180(&image),
            3 => imageops::rotate270(&image),
            _ => image,
        };
        let image = match order.quality {
            Quality::Color => DynamicImage::ImageRgb8(image),
            Quality::Gray => DynamicImage::ImageLuma8(imageops::grayscale(&image)),
            Quality::Bitonal => {
                let mut gray = imageops::grayscale(&image);
                for value in gray.iter_mut() {
                    *value = if *value < 128 { 0 } else { 255 };
                }
                DynamicImage::ImageLuma8(gray)
            }
        };
        encode(&image, order.format).map_err(|error| format!("cannot encode the image: {error}"))
    }
}

fn encode(image: &DynamicImage, format: Format) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    match format {
        Format::Jpg => image.write_with_encoder(JpegEncoder::new_with_quality(&mut file, 88))?,
        Format::Png => image.write_to(&mut Cursor::new(&mut file), ImageFormat::Png)?,
    }
    Ok(file)
}

/// What the handlers share.
#[derive(Debug, Clone)]
struct Service {
    server: ImageServer,
    base: Arc<str>,
    api: ImageApi,
}

impl Service {
    fn picture(&self, identifier: &str) -> Result<&Source, Refusal> {
        self.server.pictures.get(identifier).ok_or_else(|| Refusal {
            status: StatusCode::NOT_FOUND,
            reason: format!("there is no picture {identifier:?}"),
        })
    }

    fn id(&self, identifier: &str) -> String {
        format!("{}/{}", self.base, utf8_percent_encode(identifier, ENCODED))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, format!("{}\n", self.reason)).into_response()
    }
}

/// Viewers of any site may show these pictures.
async fn any_origin(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

async fn redirect(
    State(service): State<Service>,
    Segment(identifier): Segment<String>,
) -> Result<Response, Refusal> {
    service.picture(&identifier)?;
    let location = format!("{}/info.json", service.id(&identifier));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response())
}

async fn information(
    State(service): State<Service>,
    Segment(identifier): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let full = service.picture(&identifier)?.size();
    let document = info::document(service.api, &service.id(&identifier), full);
    let body = format!("{document:#}\n");
    let accepts = |media_type: &str| {
        let mut values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        values.any(|value| value.contains(media_type))
    };
    let linked_data = accepts("application/ld+json");
    let media_type = match service.api {
        // JSON-LD unless asked for JSON, as version 3.0 has it.
        ImageApi::V3 if linked_data || !accepts("application/json") => {
            "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\""
        }
        // JSON unless asked for JSON-LD, as version 2.1 has it.
        ImageApi::V2 if linked_data => "application/ld+json",
        _ => "application/json",
    };
    let mut response = ([(CONTENT_TYPE, media_type), (VARY, "accept")], body).into_response();
    if service.api == ImageApi::V2 && !linked_data {
        response.headers_mut().insert(
            LINK,
            HeaderValue::from_static(
                "<http://iiif.io/api/image/2/context.json>\
                 ;rel=\"http://www.w3.org/ns/json-ld#context\";type=\"application/ld+json\"",
            ),
        );
    }
    Ok(response)
}

async fn image(
    State(service): State<Service>,
    Segment((identifier, region, size, rotation, file)): Segment<(
        String,
        String,
        String,
        String,
        String,
    )>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let source = service.picture(&identifier)?;
    let segments =
        Segments { region: &region, size: &size, rotation: &rotation, quality_format: &file };
    let order = segments.fit(service.api, source.size())?;
    let tag = tag(source, order);
    let common = [(CACHE_CONTROL, "public, max-age=86400"), (ETAG, &tag)];
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if known.flat_map(|value| value.split(',')).any(|known| matches(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let source = source.clone();
    let failed = |reason| Refusal { status: StatusCode::INTERNAL_SERVER_ERROR, reason };
    let file = tokio::task::spawn_blocking(move || source.fulfil(order))
        .await
        .map_err(|_| failed("the image could not be made".to_owned()))?
        .map_err(failed)?;
    Ok((common, [(CONTENT_TYPE, order.format.media_type())], file).into_response())
}

/// The same order of the same picture always gives the same file.
fn tag(source: &Source, order: Order) -> String {
    let mut hasher = DefaultHasher::new();
    (env!("CARGO_PKG_VERSION"), source.fingerprint(), order).hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Whether a value of `If-None-Match` names this tag; weak comparison, as
/// RFC 9110 asks.
fn matches(known: &str, tag: &str) -> bool {
    let known = known.trim();
    known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
}

#[cfg(test)]
mod tests;
