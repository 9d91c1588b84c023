//! Looking at the store again and again, so that what was true of it when it was connected to is not
//! relied on for long.

use std::sync::Weak;
use std::time::Duration;

use super::link::Link;

/// The longest time between two looks.
const SELDOM: Duration = Duration::from_millis(500);
/// The shortest.
const OFTEN: Duration = Duration::from_millis(50);
/// How soon it is tried again where the store was not to be reached, or waits for this node.
const SOON: Duration = Duration::from_millis(100);

/// Goes on until nobody uses the link.
pub(super) async fn watch(link: Weak<Link>) {
    loop {
        let Some(rest) = link.upgrade().map(|link| (link.window() / 3).clamp(OFTEN, SELDOM)) else {
            return;
        };
        tokio::time::sleep(rest).await;
        while let Some(link) = link.upgrade() {
            if link.look_again().await.is_ok() {
                break;
            }
            drop(link);
            tokio::time::sleep(SOON).await;
        }
    }
}
