//! jsonwebtoken: the session as claims, in a cookie-sized bearer token, checked in a layer.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};

use super::PeerSession;
use super::private_cookies::Allow;
use crate::images::Images;
use crate::request::{TILE, Template, repeat};

/// Where PKCS #8 has the key itself, after the name of its algorithm (RFC 5208 §5), for RSA with 2048 bits.
const RSA_KEY_IN_PKCS8: usize = 26;

/// HMAC with SHA-256.
pub fn hs256() -> impl FnMut() {
    let secret = [7; 32];
    let keys = (EncodingKey::from_secret(&secret), DecodingKey::from_secret(&secret));
    checking(Algorithm::HS256, keys)
}

/// RSA of 2048 bits with SHA-256.
pub fn rs256() -> impl FnMut() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("random bytes");
    let document: Pkcs8V1Der<'_> = pair.as_der().expect("just made");
    let public = DecodingKey::from_rsa_der(pair.public_key().as_ref());
    let own = EncodingKey::from_rsa_der(&document.as_ref()[RSA_KEY_IN_PKCS8..]);
    checking(Algorithm::RS256, (own, public))
}

/// Ed25519.
pub fn eddsa() -> impl FnMut() {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("random bytes");
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("just made");
    let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
    checking(Algorithm::EdDSA, (EncodingKey::from_ed_der(document.as_ref()), public))
}

fn checking(algorithm: Algorithm, (sign, verify): (EncodingKey, DecodingKey)) -> impl FnMut() {
    let session = PeerSession::with(crate::cases::ROLES);
    let token = encode(&Header::new(algorithm), &session, &sign).expect("a token");
    let rules = Validation::new(algorithm);
    let may = move |request: &Request<Body>| {
        let token = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        Some(decode::<PeerSession>(token, &verify, &rules).ok()?.claims)
    };
    let service = Allow::new(may, Images::small());
    let request = Template::get(TILE).header("authorization", &format!("Bearer {token}"));
    repeat(service, request, StatusCode::OK)
}
