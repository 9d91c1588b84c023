//! Sealing and opening.

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use ring::rand::{SecureRandom, SystemRandom};

use super::keyring::Key;
use super::{Keyring, Purpose, Scratch};

/// First byte of every sealed value; another layout gets another number.
const VERSION: u8 = 1;
const HEADER: usize = 2 + NONCE_LEN;
const TAG: usize = 16;
/// What a sealed value has beside its payload, in bytes.
pub(super) const OVERHEAD: usize = HEADER + TAG;

/// Seals and opens values of one purpose.
#[derive(Clone)]
pub(crate) struct Sealer {
    /// The primary key first. There is one at least.
    keys: Vec<BoundKey>,
}

#[derive(Clone)]
struct BoundKey {
    id: u8,
    key: LessSafeKey,
    /// What a value is bound to beside its key: version, key id, purpose and context.
    associated: Box<[u8]>,
}

/// Why a value was not sealed or opened. It says no more: detail would help an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealError;

impl Keyring {
    /// What seals and opens values for a purpose. What is sealed in one `context` cannot be opened in
    /// another.
    pub(crate) fn sealer(&self, purpose: Purpose, context: &str) -> Sealer {
        Sealer { keys: self.keys().map(|key| BoundKey::new(key, purpose, context)).collect() }
    }
}

impl BoundKey {
    fn new(key: &Key, purpose: Purpose, context: &str) -> Self {
        let label = purpose.label();
        let label_length = u8::try_from(label.len()).expect("labels are short");
        // The label's length keeps it apart from the context.
        let associated = [&[VERSION, key.id, label_length], label, context.as_bytes()].concat();
        Self { id: key.id, key: key.for_purpose(purpose), associated: associated.into() }
    }

    fn aad(&self) -> Aad<&[u8]> {
        Aad::from(&self.associated)
    }
}

impl Sealer {
    /// Seals `payload` under the primary key.
    pub(crate) fn seal(&self, payload: &[u8]) -> Result<String, SealError> {
        let bound = self.keys.first().ok_or(SealError)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError)?;
        let mut bytes = Vec::with_capacity(payload.len() + OVERHEAD);
        bytes.extend_from_slice(&[VERSION, bound.id]);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(payload);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = bound
            .key
            .seal_in_place_separate_tag(nonce, bound.aad(), &mut bytes[HEADER..])
            .map_err(|_| SealError)?;
        bytes.extend_from_slice(tag.as_ref());
        Ok(URL_SAFE_NO_PAD.encode_to_string(bytes))
    }

    /// Opens `text`, which an attacker may have written. The payload is then
    /// [`at`](Scratch::at) the place that is returned.
    ///
    /// Length, version and key id are looked at before the rest is decoded, so that garbage costs
    /// less than a good value.
    #[inline]
    pub(crate) fn open(
        &self,
        text: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(usize, usize), SealError> {
        let length = text.len() / 4 * 3 + (text.len() % 4).saturating_sub(1);
        if text.len() % 4 == 1 || length < OVERHEAD {
            return Err(SealError);
        }
        let (version, key_id) = head(text).ok_or(SealError)?;
        if version != VERSION {
            return Err(SealError);
        }
        // Two keys share an id once in 256 pairs: then each gets its try, on a fresh copy.
        for bound in self.keys.iter().filter(|bound| bound.id == key_id) {
            let room = scratch.room(length);
            decode(text, room)?;
            let (header, sealed) = room.split_at_mut(HEADER);
            let nonce = Nonce::try_assume_unique_for_key(&header[2..]).map_err(|_| SealError)?;
            if let Ok(payload) = bound.key.open_in_place(nonce, bound.aad(), sealed) {
                return Ok((HEADER, payload.len()));
            }
        }
        Err(SealError)
    }
}

/// Says nothing of the keys.
impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer([redacted; {}])", self.keys.len())
    }
}

/// Version and key id, which the first three characters hold.
#[inline]
fn head(text: &[u8]) -> Option<(u8, u8)> {
    let [one, two, three, ..] = *text else { return None };
    let (one, two, three) = (sextet(one)?, sextet(two)?, sextet(three)?);
    Some((one << 2 | two >> 4, two << 4 | three >> 2))
}

/// The six bits that a character of base64url stands for (RFC 4648 §5).
#[inline]
fn sextet(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

/// Decodes all of `text` into all of `room`. On processors with vector instructions this costs a third
/// of what opening the value does; without them, more than that.
#[inline]
fn decode(text: &[u8], room: &mut [u8]) -> Result<(), SealError> {
    let decoded = URL_SAFE_NO_PAD.decode(text, room.as_out()).map_err(|_| SealError)?;
    (decoded.len() == room.len()).then_some(()).ok_or(SealError)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn keyring(seed: u8) -> Keyring {
        Keyring::from_bytes(&key(seed)).unwrap()
    }

    fn key(seed: u8) -> Vec<u8> {
        (0..32).map(|i: u8| i.wrapping_mul(37).wrapping_add(seed)).collect()
    }

    fn open(keyring: &Keyring, purpose: Purpose, text: &str) -> Result<Vec<u8>, SealError> {
        let mut scratch = Scratch::new();
        let found = keyring.sealer(purpose, "c").open(text.as_bytes(), &mut scratch)?;
        Ok(scratch.at(found).to_vec())
    }

    #[test]
    fn a_value_opens_only_as_what_it_was_sealed_for() {
        let keyring = keyring(1);
        for size in [0, 1, 2, 100, 481, 482, 483, 4000] {
            let payload: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let text = keyring.sealer(Purpose::Cookie, "c").seal(&payload).unwrap();
            assert_eq!(open(&keyring, Purpose::Cookie, &text), Ok(payload));
            assert!(open(&keyring, Purpose::Token, &text).is_err());
            let mut scratch = Scratch::new();
            let other = keyring.sealer(Purpose::Cookie, "d");
            assert!(other.open(text.as_bytes(), &mut scratch).is_err());
        }
    }

    /// Under the very key of its purpose a value is good only with all that it was sealed with.
    #[test]
    fn version_key_id_purpose_and_context_are_bound() {
        let keyring = keyring(1);
        let bound = &keyring.sealer(Purpose::Cookie, "c").keys[0];
        let id = bound.id;
        for (associated, good) in [
            ([&[VERSION, id, 6][..], b"cookie", b"c"].concat(), true),
            ([&[VERSION + 1, id, 6][..], b"cookie", b"c"].concat(), false),
            ([&[VERSION, id ^ 1, 6][..], b"cookie", b"c"].concat(), false),
            ([&[VERSION, id, 5][..], b"token", b"c"].concat(), false),
            ([&[VERSION, id, 6][..], b"cookie", b"d"].concat(), false),
            (b"c".to_vec(), false),
            (Vec::new(), false),
        ] {
            let mut bytes = [&[VERSION, id][..], &[9; NONCE_LEN], b"payload"].concat();
            let nonce = Nonce::assume_unique_for_key([9; NONCE_LEN]);
            let tag = bound
                .key
                .seal_in_place_separate_tag(nonce, Aad::from(&associated), &mut bytes[HEADER..])
                .unwrap();
            bytes.extend_from_slice(tag.as_ref());
            let text = URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(open(&keyring, Purpose::Cookie, &text).is_ok(), good, "{associated:?}");
        }
    }

    #[test]
    fn the_head_is_what_decoding_gives() {
        for version in 0..=u8::MAX {
            for key_id in 0..=u8::MAX {
                let text = URL_SAFE_NO_PAD.encode([version, key_id, 0x5a]);
                assert_eq!(head(text.as_bytes()), Some((version, key_id)));
            }
        }
        for strange in [&b"A+AA"[..], b"/AAA", b"AA=A", b"AA", b"", b"AA\xffA"] {
            assert_eq!(head(strange), None);
        }
    }

    /// CR-01: every flipped bit; CR-02: every other spelling.
    #[test]
    fn exactly_one_spelling_is_accepted() {
        let keyring = keyring(1);
        let text = keyring.sealer(Purpose::Token, "c").seal(b"payload of 20 bytes!").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                let changed = URL_SAFE_NO_PAD.encode(changed);
                assert!(
                    open(&keyring, Purpose::Token, &changed).is_err(),
                    "byte {index} bit {bit}"
                );
            }
        }
        for end in 0..text.len() {
            assert!(open(&keyring, Purpose::Token, &text[..end]).is_err(), "prefix of {end}");
        }
        for added in ["A", "=", "==", "\n", " ", "AAAA", "."] {
            assert!(
                open(&keyring, Purpose::Token, &format!("{text}{added}")).is_err(),
                "{added:?}"
            );
        }
        // 50 bytes end in a character of which only the upper bits count.
        let last = text.chars().last().unwrap();
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            let changed = format!("{}{other}", &text[..text.len() - 1]);
            assert_eq!(open(&keyring, Purpose::Token, &changed).is_ok(), other == last, "{other}");
        }
        let standard = text.replace('-', "+").replace('_', "/");
        assert_eq!(open(&keyring, Purpose::Token, &standard).is_ok(), standard == text);
    }

    /// CR-04: rotation, a wrong key under the same id, an unknown id.
    #[test]
    fn former_keys_open_and_strange_keys_do_not() {
        let old = keyring(1);
        let text = old.sealer(Purpose::Cookie, "c").seal(b"x").unwrap();
        let rotated = keyring(2).with_former(&key(1)).unwrap();
        assert!(open(&rotated, Purpose::Cookie, &text).is_ok());
        assert!(open(&keyring(2), Purpose::Cookie, &text).is_err());
        let fresh = rotated.sealer(Purpose::Cookie, "c").seal(b"x").unwrap();
        assert!(open(&old, Purpose::Cookie, &fresh).is_err());
        assert!(open(&keyring(2), Purpose::Cookie, &fresh).is_ok());

        // Among a few hundred keys some share an id; each still opens its own values.
        let mut by_id = std::collections::HashMap::new();
        for seed in 0..=255 {
            let ring = keyring(seed);
            if let Some(other) = by_id.insert(ring.keys().next().unwrap().id, seed) {
                let both = keyring(seed).with_former(&key(other)).unwrap();
                let text = keyring(other).sealer(Purpose::Cookie, "c").seal(b"x").unwrap();
                assert!(open(&both, Purpose::Cookie, &text).is_ok());
                assert!(open(&ring, Purpose::Cookie, &text).is_err());
                return;
            }
        }
        panic!("no two keys shared an id");
    }
}
