//! `check --probe`: what image server and store really answer.

use std::process::Command;

use http::Response;
use http_body_util::Full;

use crate::support::{SITE, Upstream, config, folder};

/// Whether it went well, and what it said.
async fn probed(text: String, arguments: &[&str]) -> (bool, String) {
    let folder = folder();
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_iiif-auth-proxy"));
    command.args(["check", "--probe"]).args(arguments).current_dir(&folder);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [&output.stdout, &output.stderr].map(|own| String::from_utf8_lossy(own));
    (output.status.success(), said.concat())
}

/// An image server that knows one image, and names it so.
async fn server(id: &'static str) -> Upstream {
    Upstream::answering(move |asked| {
        let host = asked.headers["host"].to_str().unwrap();
        let told = asked.headers.get("x-iiif-id").map_or("", |own| own.to_str().unwrap());
        let id = id.replace("HOST", host).replace("TOLD", told);
        let (status, kind, body) = match &*asked.target {
            "/iiif/3/sec/info.json" | "/iiif/3/pub/info.json" => (
                200,
                "application/ld+json",
                format!(r#"{{"@context":"http://iiif.io/api/image/3/context.json","id":"{id}","width":900,"height":600}}"#),
            ),
            target if target.contains("/full/64,/") => (200, "image/jpeg", "JPEG".to_owned()),
            _ => (404, "text/plain", "no such image".to_owned()),
        };
        let response = Response::builder().status(status).header("content-type", kind);
        response.body(Full::from(body)).unwrap()
    })
    .await
}

fn one_base(upstream: &Upstream) -> String {
    config(upstream.address)
        .replace("[[base]]\npath = \"/iiif/2\"\nfamilies = [\"1.0\", \"0.9\"]\n", "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_and_an_open_image_are_told_as_a_viewer_sees_them() {
    let upstream = server("TOLD").await;
    let (well, said) = probed(one_base(&upstream), &["--sample", "sec"]).await;
    assert!(well, "{said}");
    for line in [
        format!("ok: the image server http://{} can be reached", upstream.address),
        "ok: /iiif/3/sec/info.json: an image of 900 by 600".to_owned(),
        format!("ok: its id is {SITE}/iiif/3/sec"),
        "ok: /iiif/3/sec: a viewer offers \"Example Library\" (active)".to_owned(),
        "ok: /iiif/3/sec/full/64,/0/default.jpg: 401 until somebody logs in".to_owned(),
    ] {
        assert!(said.contains(&line), "{line}\n{said}");
    }
    let (well, said) = probed(one_base(&upstream), &["--sample", "pub"]).await;
    assert!(well && said.contains("open to everyone"), "{said}");
    assert!(said.contains("4 bytes of image/jpeg"), "{said}");
    let (well, said) = probed(one_base(&upstream), &[]).await;
    assert!(well && said.contains("--sample"), "{said}");
}

/// What is wrong is told with what to change, and the status says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_work_is_told() {
    let upstream = server("http://HOST/iiif/3/sec").await;
    let (well, said) = probed(one_base(&upstream), &["--sample", "sec"]).await;
    assert!(!well && said.contains("FAILED: /iiif/3/sec/info.json calls itself"), "{said}");
    let (well, said) = probed(one_base(&upstream), &["--sample", "none"]).await;
    assert!(!well && said.contains("answers 404"), "{said}");
    let (well, said) = probed(one_base(&upstream), &["--sample", "a/../b"]).await;
    assert!(!well && said.contains("refuses the identifier with 400"), "{said}");
    let gone = config("127.0.0.1:1".parse().unwrap());
    let (well, said) = probed(gone.clone(), &["--sample", "sec"]).await;
    assert!(!well && said.contains("FAILED: the image server http://127.0.0.1:1: "), "{said}");
    let store = format!("{}[store]\nurl = \"redis://127.0.0.1:1\"\n", one_base(&upstream));
    let (well, said) = probed(store, &[]).await;
    assert!(!well && said.contains("FAILED: the store: "), "{said}");
}
