//! Tokens, their names and scopes.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq;

/// A token with fewer characters than this can be guessed.
const SHORT: usize = 16;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Send events.
    Webhook,
    /// Say what runs.
    Running,
    /// Read.
    Read,
    /// Everything.
    All,
}

impl Scope {
    /// Whether it includes another.
    pub(super) fn includes(self, other: Self) -> bool {
        self == Self::All || self == other
    }

    fn new(name: &str) -> Option<Self> {
        Some(match name {
            "webhook" => Self::Webhook,
            "running" => Self::Running,
            "read" => Self::Read,
            "all" => Self::All,
            _ => return None,
        })
    }
}

/// A secret that a client must know.
#[derive(Clone)]
pub(super) struct Token {
    /// The name for the history; empty if it has none.
    pub(super) name: String,
    pub(super) scope: Scope,
    secret: String,
}

impl Token {
    /// Reads `TOKEN`, or `NAME:SCOPE TOKEN`.
    fn new(line: &str) -> Result<Self, String> {
        let (owner, secret) = line.rsplit_once([' ', '\t']).unwrap_or(("", line));
        let (name, scope) = match owner.trim() {
            "" => ("", Scope::All),
            owner => {
                let parts = owner.split_once(':').and_then(|(name, scope)| {
                    Some((name, Scope::new(scope)?)).filter(|_| !name.is_empty())
                });
                parts.ok_or("there is white space in it: a line is TOKEN, or NAME:SCOPE TOKEN with webhook, running, read or all as SCOPE")?
            }
        };
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds characters that are not ASCII".to_owned());
        }
        Ok(Self { name: name.to_owned(), scope, secret: secret.to_owned() })
    }

    /// The secret, as a key.
    pub(super) fn key(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// Compares in a time that depends on the lengths alone.
    fn is(&self, given: &[u8]) -> bool {
        given.ct_eq(self.key()).into()
    }
}

/// The tokens that clients can have.
#[derive(Clone)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// Reads one token per line. White space around tokens, empty lines and lines that start with `#` are
    /// ignored.
    ///
    /// # Errors
    /// If there is no token, or one that a header cannot contain.
    pub fn new(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let tokens = lines.map(Token::new).collect::<Result<Vec<_>, _>>()?;
        if tokens.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self(tokens)) }
    }

    /// Whether a token is short enough to be guessed.
    pub fn are_short(&self) -> bool {
        self.0.iter().any(|token| token.secret.len() < SHORT)
    }

    /// The token with this secret.
    pub(super) fn find(&self, given: &[u8]) -> Option<&Token> {
        self.0.iter().find(|token| token.is(given))
    }

    /// The token in an `Authorization` header: alone, after `Bearer` or `Token`, or as the password of
    /// `Basic`.
    pub(super) fn in_header(&self, authorization: &str) -> Option<&Token> {
        let (scheme, rest) = authorization.split_once(' ').unwrap_or(("", authorization));
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "token" => self.find(rest.trim().as_bytes()),
            "basic" => {
                let decoded = BASE64_STANDARD.decode(rest.trim()).unwrap_or_default();
                let password = decoded.splitn(2, |byte| *byte == b':').nth(1);
                self.find(password.unwrap_or_default())
            }
            _ => self.find(authorization.as_bytes()),
        }
    }

    /// Iterates over the tokens.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_taken_with_and_without_bearer() {
        let tokens = Tokens::new(" s3cret\n").unwrap();
        for right in [
            "s3cret",
            "Bearer s3cret",
            "bearer  s3cret",
            "Token s3cret",
            "Basic ZGl1bjpzM2NyZXQ=",
            "basic OnMzY3JldA==",
        ] {
            assert!(tokens.in_header(right).is_some(), "{right}");
        }
        for wrong in [
            "",
            "s3cre",
            "s3cret2",
            "S3CRET",
            "Bearer",
            "Bearer ",
            "Basic s3cret",
            "Basic czNjcmV0",
            "Basic czNjcmV0Og==",
            "Basic ZGl1bjpzM2NyZXQ6",
            "Basic ",
            "Digest s3cret",
        ] {
            assert!(tokens.in_header(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_file_holds_a_token_a_line_each_with_a_name_and_a_scope() {
        let text =
            "# mine\nfirst\n\nhomepage:read second\nnas:running  third\n d:webhook\tfourth \n";
        let tokens = Tokens::new(text).unwrap();
        for (secret, name, scope) in [
            ("first", "", Scope::All),
            ("second", "homepage", Scope::Read),
            ("third", "nas", Scope::Running),
            ("fourth", "d", Scope::Webhook),
        ] {
            let token = tokens.find(secret.as_bytes()).unwrap();
            assert_eq!((token.name.as_str(), token.scope), (name, scope));
        }
        assert!(tokens.find(b"homepage:read second").is_none());
        assert!(Scope::All.includes(Scope::Read) && !Scope::Read.includes(Scope::All));
    }

    #[test]
    fn a_token_is_not_empty_and_never_printed() {
        for wrong in ["", " \n", "# none", "a b", "a:b c", ":read c", "schlüssel"] {
            assert!(Tokens::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", Tokens::new("s3cret")), "Ok(Tokens)");
    }
}
