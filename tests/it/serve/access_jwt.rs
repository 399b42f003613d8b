//! Signed tokens: what a key accepts, and every way around it that is known.

use crate::http::get_with;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use spanwright::{
    Recorder, Timestamp,
    serve::{Access, JwtKey, Server, ServerHandle, Settings},
};

const SECRET: &[u8] = b"a secret of thirty-two bytes or more";
const RSA: &str = include_str!("keys/rsa.pem");
const P256: &str = include_str!("keys/p256.pem");
const ED25519: &str = include_str!("keys/ed25519.pem");

fn served(key: JwtKey) -> ServerHandle {
    let recorder = Recorder::builder().start().expect("start");
    let access = Access::builder().jwt(key).build().expect("access");
    Server::spawn_with(recorder, "127.0.0.1:0", Settings::default().access(access)).expect("serve")
}

fn claims() -> Value {
    json!({"exp": now() + 600, "aud": "traces", "scope": "admin"})
}

fn now() -> i64 {
    Timestamp::now().unix_millis() / 1_000
}

fn sign(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, key).expect("token")
}

fn status(server: &ServerHandle, token: &str) -> u16 {
    get_with(server.addr(), "/stats", &[("Authorization", &format!("Bearer {token}"))]).status
}

fn signers() -> [(Algorithm, EncodingKey, &'static str); 3] {
    [
        (Algorithm::RS256, EncodingKey::from_rsa_der(include_bytes!("keys/rsa.der")), RSA),
        (Algorithm::ES256, EncodingKey::from_ec_der(include_bytes!("keys/p256.der")), P256),
        (Algorithm::EdDSA, EncodingKey::from_ed_der(include_bytes!("keys/ed25519.der")), ED25519),
    ]
}

#[test]
fn a_token_is_accepted_by_the_key_that_belongs_to_its_signature_and_by_no_other() {
    for (_, _, pem) in signers() {
        let server = served(JwtKey::public(pem, "traces").expect("key"));
        for (algorithm, key, other) in signers() {
            let wanted = if other == pem { 200 } else { 401 };
            assert_eq!(status(&server, &sign(algorithm, &key, &claims())), wanted, "{algorithm:?}");
        }
        let confused = sign(Algorithm::HS256, &EncodingKey::from_secret(pem.as_bytes()), &claims());
        assert_eq!(status(&server, &confused), 401, "a public key is no secret");
    }
    let secret = served(JwtKey::secret(SECRET, "traces").expect("key"));
    assert_eq!(status(&secret, &sign(Algorithm::HS256, &EncodingKey::from_secret(SECRET), &claims())), 200);
    assert_eq!(status(&secret, &sign(Algorithm::HS384, &EncodingKey::from_secret(SECRET), &claims())), 401);
    let other = EncodingKey::from_secret(b"another secret of thirty-two bytes");
    assert_eq!(status(&secret, &sign(Algorithm::HS256, &other, &claims())), 401);
}

#[test]
fn a_token_without_a_signature_or_with_a_changed_part_is_refused() {
    let server = served(JwtKey::secret(SECRET, "traces").expect("key"));
    let good = sign(Algorithm::HS256, &EncodingKey::from_secret(SECRET), &claims());
    let parts: Vec<_> = good.split('.').collect();
    // {"alg":"none"} and {"typ":"JWT","alg":"None"}
    for header in ["eyJhbGciOiJub25lIn0", "eyJ0eXAiOiJKV1QiLCJhbGciOiJOb25lIn0"] {
        assert_eq!(status(&server, &format!("{header}.{}.", parts[1])), 401);
        assert_eq!(status(&server, &format!("{header}.{}.{}", parts[1], parts[2])), 401);
    }
    for at in (0..good.len()).step_by(7) {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(status(&server, &String::from_utf8(changed).expect("ASCII")), 401, "byte {at}");
    }
    for cut in [parts[0], parts[1], "..", "a.b.c", "a.b.c.d", &good[..good.len() - 1]] {
        assert_eq!(status(&server, cut), 401, "{cut}");
    }
}

#[test]
fn claims_are_held_to_time_audience_issuer_and_scope() {
    let server = served(JwtKey::secret(SECRET, "traces").expect("key").issuer("https://id.example.org"));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims();
        claims["iss"] = json!("https://id.example.org");
        change(&mut claims);
        status(&server, &sign(Algorithm::HS256, &EncodingKey::from_secret(SECRET), &claims))
    };
    let without = |name: &str| with(&|claims| drop(claims.as_object_mut().expect("object").remove(name)));
    let set = |name: &str, value: Value| with(&|claims| claims[name] = value.clone());
    assert_eq!(with(&|_| {}), 200);
    assert_eq!(["exp", "aud", "iss"].map(without), [401; 3]);
    assert_eq!(without("scope"), 403);
    for exp in [json!(now() - 1), json!(0), json!(-5), json!("soon"), json!(null)] {
        assert_eq!(set("exp", exp.clone()), 401, "{exp}");
    }
    assert_eq!(
        [json!(now() + 600), json!(99_999_999_999_i64), json!(now() as f64 + 60.5)].map(|exp| set("exp", exp)),
        [200; 3]
    );
    assert_eq!((set("nbf", json!(now() + 60)), set("nbf", json!(now() - 60))), (401, 200));
    assert_eq!((set("aud", json!("other")), set("aud", json!(["other", "traces"]))), (401, 200));
    assert_eq!(set("iss", json!("https://evil.example.org")), 401);
    assert_eq!((set("scope", json!("openid admin")), set("scope", json!("administrator read"))), (200, 403));
    assert_eq!(set("scope", json!(["admin"])), 401, "a text is accepted (RFC 8693, 4.2)");
    for tenant in [json!(null), json!(""), json!(7), json!("x".repeat(129))] {
        assert_eq!(set("tenant", tenant.clone()), 401, "{tenant}: not everybody's");
    }
}

/// Of all that may be wrong with a token this happens to everybody, and says nothing to who has not the token.
#[test]
fn a_good_token_whose_time_is_over_is_told_so_and_no_other_one() {
    let server = served(JwtKey::secret(SECRET, "traces").expect("key"));
    let said = |exp: i64, audience: &str| {
        let claims = json!({"exp": exp, "aud": audience, "scope": "admin"});
        let token = sign(Algorithm::HS256, &EncodingKey::from_secret(SECRET), &claims);
        get_with(server.addr(), "/stats", &[("Authorization", &format!("Bearer {token}"))]).json()["error"].clone()
    };
    for ago in [1, 60, 86_400] {
        assert_eq!(said(now() - ago, "traces"), "the token has expired", "{ago} s ago");
        assert_eq!(said(now() - ago, "other"), "the token is not accepted", "{ago} s ago");
    }
}

#[test]
fn a_token_that_says_that_more_must_be_understood_than_is_understood_here_is_refused() {
    let server = served(JwtKey::secret(SECRET, "traces").expect("key"));
    let mut header = Header::new(Algorithm::HS256);
    let sign = |header: &Header| encode(header, &claims(), &EncodingKey::from_secret(SECRET)).expect("token");
    header.kid = Some("../../etc/passwd".into());
    assert_eq!(status(&server, &sign(&header)), 200, "a key is known by what it verifies, not by its name");
    header.crit = Some(vec!["b64".into()]);
    assert_eq!(status(&server, &sign(&header)), 401);
}

#[test]
fn keys_that_are_none_are_refused_at_the_start() {
    let bad = [
        "",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----",
        include_str!("keys/p384.pem"),
        include_str!("keys/rsa1024.pem"),
        &ED25519.replace("PUBLIC", "PRIVATE"),
        &P256.replace("MFkw", "MFkx"),
    ];
    for pem in bad {
        let error = JwtKey::public(pem, "traces").expect_err(pem);
        assert!(error.is_config() && error.to_string().contains("BEGIN PUBLIC KEY"), "{error}");
    }
    for cut in (30..P256.len() - 30).step_by(5) {
        let (head, tail) = (&P256[..cut], &P256[cut + 1..]);
        assert!(JwtKey::public(format!("{head}{tail}"), "traces").is_err(), "without byte {cut}");
    }
    assert!(JwtKey::secret(b"too short", "traces").expect_err("short").to_string().contains("32 bytes"));
    assert!(JwtKey::secret(SECRET, "").is_err());
}

/// The order of the group of P-256 (FIPS 186-5; SEC 2, 2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 64 bytes as 86 digits of base64url, and back.
fn digits(bytes: &[u8]) -> String {
    let bits = |at: usize| (0..6).fold(0, |digit, bit| digit << 1 | bit_of(bytes, at * 6 + bit));
    (0..86).map(|at| char::from(BASE64_URL[bits(at)])).collect()
}

fn bit_of(bytes: &[u8], at: usize) -> usize {
    bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1))
}

fn bytes(digits: &str) -> Vec<u8> {
    let values: Vec<_> =
        digits.bytes().map(|digit| BASE64_URL.iter().position(|one| *one == digit).expect("digit")).collect();
    let bit = |at: usize| u8::try_from(values[at / 6] >> (5 - at % 6) & 1).expect("a bit");
    (0..64).map(|at| (0..8).fold(0, |byte, one| byte << 1 | bit(at * 8 + one))).collect()
}

/// Whoever has a signature of ECDSA can make another one of the same text: (r, n - s) holds where (r, s) does.
fn signed_otherwise(token: &str) -> String {
    let (text, signature) = token.rsplit_once('.').expect("a signature");
    let mut signature = bytes(signature);
    let mut borrow = 0;
    for (digit, order) in signature[32..].iter_mut().zip(P256_ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference & 0xff).expect("a byte");
    }
    format!("{text}.{}", digits(&signature))
}

#[test]
fn a_token_that_is_revoked_does_not_come_back_with_another_signature_of_the_same_claims() {
    let access = Access::builder().jwt(JwtKey::public(P256, "traces").expect("key")).build().expect("access");
    let recorder = Recorder::builder().start().expect("start");
    let settings = Settings::default().access(access.clone());
    let server = Server::spawn_with(recorder, "127.0.0.1:0", settings).expect("serve");
    let [_, (_, key, _), _] = signers();
    let token = sign(Algorithm::ES256, &key, &claims());
    let other = signed_otherwise(&token);
    assert_ne!(token, other);
    assert_eq!((status(&server, &token), status(&server, &other)), (200, 200));
    access.revoke(&token).expect("revoke");
    assert_eq!((status(&server, &token), status(&server, &other)), (401, 401));
}
