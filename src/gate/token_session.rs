//! Whom an access token stands for.

use std::borrow::Cow;

use crate::core::RealmId;
use crate::session::Session;

/// The session that an access token stands for, as it was when the token was issued.
#[derive(Clone, Debug)]
pub(crate) struct TokenSession<'a> {
    pub(crate) realm: RealmId,
    /// The name of the aspect that it was read from.
    pub(crate) aspect: Cow<'a, str>,
    pub(crate) session: Session<'a>,
}

impl TokenSession<'_> {
    /// A copy to keep while waiting.
    pub(crate) fn into_owned(self) -> TokenSession<'static> {
        TokenSession {
            realm: self.realm,
            aspect: Cow::Owned(self.aspect.into_owned()),
            session: self.session.into_owned(),
        }
    }
}
