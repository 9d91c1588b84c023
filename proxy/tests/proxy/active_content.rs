//! AC: what users have deposited with the image server does not run with the login's cookies.

use http::Response;
use http_body_util::Full;

use crate::support::{Proxy, Upstream, config, with_keys};

/// A server that says of itself what a request asks it to.
async fn upstream() -> Upstream {
    Upstream::answering(|asked| {
        let (kind, status) = match &*asked.target {
            "/pages/x.svg" | "/files/x.svg" | "/own/x.svg" => ("image/svg+xml", 200),
            "/pages/x.jpg" | "/files/x.jpg" => ("image/jpeg", 200),
            "/pages/x.js" | "/own/x.js" => ("text/javascript", 200),
            "/files/broken" => ("text/html", 500),
            _ => ("text/html", 200),
        };
        Response::builder()
            .status(status)
            .header("content-type", kind)
            .header("service-worker-allowed", "/")
            .body(Full::from("<script>"))
            .unwrap()
    })
    .await
}

/// AC-01: below bases and at public paths alike, unless the file says otherwise.
#[tokio::test]
async fn ac_01_deposited_content_keeps_still() {
    let upstream = upstream().await;
    let keys = "public_paths = [\"/\", \"/pages/*\"]\ninsecure_active_paths = [\"/\"]";
    let config = format!(
        "{}\n[[base]]\npath = \"/files\"\nkind = \"files\"\n\n\
         [[base]]\npath = \"/own\"\nkind = \"files\"\ninsecure_active_content = true\n\n\
         [[rule]]\nmatch = [\"x*\", \"broken\"]\nallow = \"everyone\"\n",
        with_keys(&config(upstream.address), keys)
    );
    let proxy = Proxy::with(&config).await;
    for (path, policy, sniffing, allowed) in [
        ("/pages/x.svg", "sandbox", "nosniff", ""),
        ("/pages/x.html", "sandbox", "nosniff", ""),
        ("/pages/x.js", "sandbox", "nosniff", ""),
        ("/pages/x.jpg", "", "nosniff", ""),
        ("/files/x.svg", "sandbox", "nosniff", ""),
        ("/files/x.html", "sandbox", "nosniff", ""),
        ("/files/broken", "sandbox", "nosniff", ""),
        ("/files/x.jpg", "", "nosniff", ""),
        ("/", "", "", "/"),
        ("/own/x.svg", "", "", "/"),
    ] {
        let answer = proxy.get(path, &[]).await;
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
        assert_eq!(answer.header("x-content-type-options"), sniffing, "{path}");
        assert_eq!(answer.header("service-worker-allowed"), allowed, "{path}");
    }
    for (path, status) in [("/pages/x.js", 403), ("/files/x.js", 403), ("/own/x.js", 200)] {
        let answer = proxy.get(path, &[("service-worker", "script")]).await;
        assert_eq!(answer.status, status, "{path}");
    }
}
