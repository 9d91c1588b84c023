//! Sealed values: authenticated encryption under a keyring, one purpose each.
//!
//! Nothing of IIIF is in here. A sealed value is text, safe in a cookie, a header and a form:
//! base64url without padding of
//!
//! ```text
//! version (1 byte) · key id (1) · nonce (12) · AES-256-GCM ciphertext · tag (16)
//! ```
//!
//! Each [`Purpose`] has a key of its own, derived by HKDF-SHA-256 from the keyring's. Version, key
//! id, purpose and a context (a realm's name) are bound as associated data: a value sealed for one
//! purpose or realm cannot be opened for another. Every value has exactly one accepted spelling.

mod binary;
mod keyring;
mod purpose;
mod recalling;
mod scratch;
mod sealer;

pub(crate) use binary::{LONGEST_TEXT, Reader, write_short_text};
pub use keyring::{Keyring, KeyringError};
pub(crate) use purpose::Purpose;
pub(crate) use recalling::RecallingSealer;
pub(crate) use scratch::Scratch;
pub(crate) use sealer::{SealError, Sealer};
