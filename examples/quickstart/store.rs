//! Where it is remembered who was logged out: in this process, or in a store that several share.

use tower_iiif_auth::IiifAuthBuilder;

use crate::arguments::Arguments;

#[cfg(feature = "redis")]
pub(crate) async fn shared(
    builder: IiifAuthBuilder,
    arguments: &Arguments,
) -> Result<IiifAuthBuilder, String> {
    let Some(url) = &arguments.redis else { return Ok(builder) };
    let store = tower_iiif_auth::revocation::Redis::connect(url).await;
    Ok(builder.revocations(store.map_err(|error| format!("--redis: {error}"))?))
}

#[cfg(not(feature = "redis"))]
#[allow(clippy::unused_async, reason = "with the feature it connects")]
pub(crate) async fn shared(
    builder: IiifAuthBuilder,
    arguments: &Arguments,
) -> Result<IiifAuthBuilder, String> {
    match arguments.redis {
        Some(_) => Err("--redis: this build has no store, run it with --features redis".to_owned()),
        None => Ok(builder),
    }
}
