//! The cookie of a login: its time of expiry, signed with a key that is derived from the token. So every server
//! of an inbox accepts it, and a new token ends it.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::auth::{Token, Tokens};

const NAME: &str = "diunbox";
/// How long a login is valid.
const AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The token of the first cookie that is a valid login.
pub(super) fn token<'a>(cookies: &str, tokens: &'a Tokens) -> Option<&'a Token> {
    let mut values = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    values.find_map(|(name, value)| verified(value, tokens).filter(|_| name == NAME))
}

fn verified<'a>(value: &str, tokens: &'a Tokens) -> Option<&'a Token> {
    let (until, signature) = value.split_once('.')?;
    let is_over = until.parse::<i64>().ok()? < Utc::now().timestamp();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    let is_signed =
        |token: &&Token| mac(token, until).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
    tokens.iter().find(is_signed).filter(|_| !is_over)
}

/// The `Set-Cookie` of a login. `path` is what all paths begin with.
pub(super) fn issue(token: &Token, path: &str, is_secure: bool) -> String {
    let until = (Utc::now() + AGE).timestamp().to_string();
    let mac = mac(token, &until).map(|mac| mac.finalize().into_bytes());
    let signature = mac.map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default();
    set(&format!("{until}.{signature}"), AGE.as_secs(), path, is_secure)
}

/// The `Set-Cookie` that ends a login.
pub(super) fn end(path: &str, is_secure: bool) -> String {
    set("", 0, path, is_secure)
}

fn set(value: &str, age: u64, path: &str, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{NAME}={value}; Path={path}/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

/// A key of any length will do.
fn mac(token: &Token, until: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.key()).ok()?;
    mac.update(b"diunbox login until ");
    mac.update(until.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(set: &str) -> &str {
        set.split(';').next().unwrap()
    }

    #[test]
    fn a_login_is_valid_for_its_token_only() {
        let tokens = Tokens::new("a:read one\nb:all two").unwrap();
        let login = issue(tokens.find(b"two").unwrap(), "/x", true);
        assert!(login.ends_with("; Path=/x/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure"));
        let cookies = format!("other=1; {}; last=2", value(&login));
        assert_eq!(token(&cookies, &tokens).unwrap().name, "b");
        assert!(token(&cookies, &Tokens::new("a:read one\nb:all three").unwrap()).is_none());
        assert!(!login.contains("two"));
    }

    #[test]
    fn a_modified_cookie_is_not_valid() {
        let tokens = Tokens::new("two").unwrap();
        let login = issue(tokens.find(b"two").unwrap(), "", false);
        let login = value(&login).to_owned();
        assert!(token(&login, &tokens).is_some());
        let (until, signature) = login.split_once('=').unwrap().1.split_once('.').unwrap();
        let later = until.parse::<i64>().unwrap() + 1;
        for wrong in [
            format!("diunbox={later}.{signature}"),
            format!("diunbox={until}.{}", &signature[..40]),
            format!("diunbox={until}.{}é", &signature[..40]),
            format!("diunbox={until}."),
            format!("diunbox={until}"),
            format!("other={until}.{signature}"),
            "diunbox=".to_owned(),
            String::new(),
            value(&end("", false)).to_owned(),
        ] {
            assert!(token(&wrong, &tokens).is_none(), "{wrong}");
        }
        // An expired cookie.
        let mac = mac(tokens.find(b"two").unwrap(), "1").unwrap().finalize().into_bytes();
        assert!(
            token(&format!("diunbox=1.{}", BASE64_URL_SAFE_NO_PAD.encode(mac)), &tokens).is_none()
        );
    }
}
