#![doc = include_str!("links.md")]
#![doc = include_str!("../../docs/guide/README.md")]

// In the repository the pages link to each other as files. Here the references of `links.md`, which
// come first and so count, lead to modules instead; `tests/documents.rs` writes them.
macro_rules! pages {
    ($($(#[$attribute:meta])* $name:ident = $path:literal;)*) => { $(
        $(#[$attribute])*
        #[doc = include_str!("links.md")]
        #[doc = include_str!(concat!("../../docs/", $path))]
        pub mod $name {}
    )* };
}

pages! {
    flow = "guide/flow.md";
    aspects = "guide/aspects.md";
    authorizers = "guide/authorizers.md";
    manifests = "guide/manifests.md";
    login = "guide/login.md";
    own_users = "guide/own-users.md";
    axum_login = "guide/axum-login.md";
    oidc = "guide/oidc.md";
    your_own = "guide/your-own.md";
    deployment = "guide/deployment.md";
    logs = "guide/logs.md";
    // Its snippets need the feature, and are compiled where it is on.
    #[cfg(any(not(doctest), feature = "redis"))]
    nodes = "guide/nodes.md";
    threats = "guide/threats.md";
    families = "guide/families.md";
    viewers = "guide/viewers.md";
    media = "guide/media.md";
    third_party_cookies = "guide/third-party-cookies.md";
    proxy = "guide/proxy.md";
    proxy_settings = "guide/proxy-settings.md";
    proxy_limits = "guide/proxy-limits.md";
    iipimage = "guide/iipimage.md";
    cantaloupe = "guide/cantaloupe.md";
    nginx = "guide/nginx.md";
    fronts = "guide/fronts.md";
    shibboleth = "guide/shibboleth.md";
    reading_room = "guide/reading-room.md";
    check = "guide/check.md";
    conformance = "conformance.md";
    attacks = "attacks.md";
    performance = "performance.md";
    reliability = "reliability.md";
}
