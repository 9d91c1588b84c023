//! The keys: one that seals, any number of former ones that still open.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::{SecureRandom, SystemRandom};

use super::Purpose;

/// Least length of a key, in bytes: what AES-256 takes.
const KEY_LENGTH: usize = 32;

/// Least number of different bytes in a key. Of 32 random bytes fewer than this are practically
/// never different, while words and repeated patterns stay below.
const DISTINCT_BYTES: usize = 12;

/// The secret keys behind cookies and tokens: one primary key and any number of former ones.
///
/// New values are sealed under the primary key; values under a former key stay valid until they
/// expire. To rotate, put a new key first and keep the old one for as long as the longest session
/// lives. Nodes with the same keyring accept each other's users; where there are several, give all of
/// them the new key as a former one first, so that each can read what another seals.
///
/// As text (environment variable, file) a keyring is one key per line, the primary key first:
/// base64 (either alphabet, padding optional) of at least 32 random bytes, as
/// `openssl rand -base64 32` prints it. Blank lines and lines that begin with `#` are skipped.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::Keyring;
///
/// let keyring = Keyring::from_base64("CzVBV8+5XftzzYn/F6HFU1sl8cc/iU0Lw535z0dR9UM=")?;
/// assert!(Keyring::from_base64("c2VjcmV0").is_err()); // six bytes are no key
/// # Ok::<(), tower_iiif_auth::KeyringError>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<Arc<Key>>,
}

/// One secret, from which the key of each purpose is derived.
pub(super) struct Key {
    pub(super) id: u8,
    root: Prk,
}

impl Keyring {
    /// A keyring of one key.
    ///
    /// # Errors
    ///
    /// When the key is shorter than 32 bytes or plainly not random.
    pub fn from_bytes(key: &[u8]) -> Result<Self, KeyringError> {
        Ok(Self { keys: vec![Arc::new(Key::derive(key)?)] })
    }

    /// A keyring from its text form, see [`Keyring`].
    ///
    /// # Errors
    ///
    /// When a line is not base64 of a usable key, or there is no key at all.
    pub fn from_base64(text: &str) -> Result<Self, KeyringError> {
        let keys = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| Key::derive(&decode(line)?).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self { keys })
    }

    /// A keyring from the text form in the environment variable `name`.
    ///
    /// # Errors
    ///
    /// When the variable is not set, or as for [`from_base64`](Self::from_base64).
    pub fn from_env(name: &str) -> Result<Self, KeyringError> {
        let text =
            std::env::var(name).map_err(|_| KeyringError::Environment { name: name.to_owned() })?;
        Self::from_base64(&text)
    }

    /// A keyring from the text form in a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as for [`from_base64`](Self::from_base64).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyringError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| KeyringError::File {
            path: path.to_owned(),
            source: Arc::new(source),
        })?;
        Self::from_base64(&text)
    }

    /// A new random keyring, for development: it ends with the process, and every session with it.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, KeyringError> {
        let mut key = [0; KEY_LENGTH];
        SystemRandom::new().fill(&mut key).map_err(|_| KeyringError::NoRandomness)?;
        crate::trace::warning("keyring generated: sessions end with this process");
        Self::from_bytes(&key)
    }

    /// Adds a key that seals nothing new but still opens what it sealed.
    ///
    /// # Errors
    ///
    /// As for [`from_bytes`](Self::from_bytes).
    pub fn with_former(mut self, key: &[u8]) -> Result<Self, KeyringError> {
        self.keys.push(Arc::new(Key::derive(key)?));
        Ok(self)
    }

    /// The primary key first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(|key| &**key)
    }
}

/// Shows how many keys there are and nothing of them.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring([redacted; {}])", self.keys.len())
    }
}

impl Key {
    fn derive(secret: &[u8]) -> Result<Self, KeyringError> {
        if secret.len() < KEY_LENGTH {
            return Err(KeyringError::TooShort { bytes: secret.len() });
        }
        if !looks_random(secret) {
            return Err(KeyringError::NotRandom);
        }
        let root = Salt::new(HKDF_SHA256, b"tower-iiif-auth/1").extract(secret);
        let mut id = [0; 1];
        expand(&root, b"key id", &mut id);
        Ok(Self { id: id[0], root })
    }

    pub(super) fn for_purpose(&self, purpose: Purpose) -> LessSafeKey {
        let mut key = [0; KEY_LENGTH];
        expand(&self.root, purpose.label(), &mut key);
        let key = UnboundKey::new(&AES_256_GCM, &key).expect("32 bytes are an AES-256 key");
        LessSafeKey::new(key)
    }
}

fn expand(root: &Prk, info: &[u8], out: &mut [u8]) {
    let info = [info];
    let okm = root.expand(&info, Length(out.len())).expect("output is far below 255 blocks");
    okm.fill(out).expect("the buffer has the length asked for");
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn decode(line: &str) -> Result<Vec<u8>, KeyringError> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = if line.contains(['-', '_']) {
        GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT)
    } else {
        GeneralPurpose::new(&alphabet::STANDARD, LENIENT)
    };
    // The cause is dropped: it could quote a byte of the key.
    engine.decode(line).map_err(|_| KeyringError::NotBase64)
}

fn looks_random(secret: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in secret {
        seen[usize::from(*byte)] = true;
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let repeats = (1..=secret.len() / 2)
        .any(|period| secret.iter().zip(&secret[period..]).all(|(one, other)| one == other));
    distinct >= DISTINCT_BYTES && !repeats
}

/// Why no keyring can be made. No message holds any part of a key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeyringError {
    /// A key has fewer than 32 bytes.
    TooShort {
        /// How many it has.
        bytes: usize,
    },
    /// A key is a word, a pattern or all the same byte.
    NotRandom,
    /// A line is not base64.
    NotBase64,
    /// There is no key.
    Empty,
    /// The environment variable is not set, or not text.
    Environment {
        /// Its name.
        name: String,
    },
    /// The file cannot be read.
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// The system gave no random bytes.
    NoRandomness,
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HOW: &str = "make one with `openssl rand -base64 32`";
        match self {
            Self::TooShort { bytes } => {
                write!(f, "a key has {bytes} bytes, 32 are the least: {HOW}")
            }
            Self::NotRandom => write!(f, "a key is not random: {HOW}"),
            Self::NotBase64 => write!(f, "a line of the keyring is not base64: {HOW}"),
            Self::Empty => write!(f, "the keyring holds no key: {HOW}"),
            Self::Environment { name } => {
                write!(f, "environment variable {name} is not set: it has to hold a key, {HOW}")
            }
            Self::File { path, .. } => write!(f, "cannot read the key file {}", path.display()),
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for KeyringError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::super::Scratch;
    use super::*;

    fn key(seed: u8) -> Vec<u8> {
        (0..32).map(|i: u8| i.wrapping_mul(37).wrapping_add(seed)).collect()
    }

    /// CR-10: keys that are none.
    #[test]
    fn weak_keys_are_refused() {
        let pattern = key(3)[..16].repeat(2);
        for weak in [
            &[][..],
            &key(0)[..15],
            &key(0)[..31],
            &[0; 32],
            b"changemechangemechangemechangeme",
            &pattern,
        ] {
            assert!(Keyring::from_bytes(weak).is_err(), "{weak:?}");
        }
        for text in ["", "# only a comment\n", "not base64!", "c2VjcmV0"] {
            assert!(Keyring::from_base64(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn text_form() {
        let text = format!(
            "# new\n{}\n\n  {}  \n",
            STANDARD.encode(key(2)),
            URL_SAFE_NO_PAD.encode(key(1))
        );
        let ring = Keyring::from_base64(&text).unwrap();
        let old = Keyring::from_bytes(&key(1)).unwrap();
        let sealed = old.sealer(Purpose::Cookie, "c").seal(b"x").unwrap();
        let mut scratch = Scratch::new();
        assert!(ring.sealer(Purpose::Cookie, "c").open(sealed.as_bytes(), &mut scratch).is_ok());
        assert_eq!(format!("{ring:?}"), "Keyring([redacted; 2])");
    }
}
