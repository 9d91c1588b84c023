//! Protected sound, made here: a recording in one file, and a stream of HLS in pieces.
//!
//! A browser plays the recording by itself and sends the cookie along. The stream is read by a script,
//! as players do: on another site that needs `content_for_scripts`, see `access.rs`.

mod flac;
mod mp4;
mod tone;
mod wav;

use std::fmt::Write as _;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub(crate) const RECORDING: &str = "/files/recording.wav";
pub(crate) const STREAM: &str = "/files/stream/stream.m3u8";

/// Seconds that a note lasts, and so a piece of the stream.
const SECONDS: f64 = 32768.0 / 24000.0;

/// How long each of them plays, in seconds.
pub(crate) fn duration() -> f64 {
    let notes = u32::try_from(tone::NOTES.len()).unwrap_or_default();
    f64::from(notes) * SECONDS
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route(RECORDING, get(async || answer("audio/wav", wav::file(&tone::all()))))
        .route("/files/stream/{file}", get(piece))
}

/// The playlist, the head of all pieces, and each piece.
async fn piece(Path(file): Path<String>) -> Response {
    let number = file.strip_suffix(".m4s").and_then(|number| number.parse().ok());
    match (&*file, number) {
        ("stream.m3u8", _) => answer("application/vnd.apple.mpegurl", playlist().into_bytes()),
        ("head.mp4", _) => answer("audio/mp4", mp4::head()),
        (_, Some(number)) if number < tone::NOTES.len() => {
            answer("audio/mp4", mp4::piece(number, &tone::note(number)))
        }
        _ => (StatusCode::NOT_FOUND, "There is no such piece.\n").into_response(),
    }
}

fn answer(content_type: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn playlist() -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n\
                    #EXT-X-MAP:URI=\"head.mp4\"\n"
        .to_owned();
    for number in 0..tone::NOTES.len() {
        let _ = writeln!(text, "#EXTINF:{SECONDS:.6},\n{number}.m4s");
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}
