//! Why there was no HTTP answer.

use thiserror::Error;

/// There was no HTTP answer. Details never hold a token or a URL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransportError {
    /// No connection: name, network, proxy or certificate.
    #[error("no connection: {0}")]
    Connect(String),
    /// Nothing came in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke, or the answer could not be decoded.
    #[error("the connection broke off: {0}")]
    Reset(String),
    /// The answer is larger than we read.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// How much is read.
        limit: usize,
    },
    /// The recording that is replayed has nothing for this request.
    #[error("the recording holds no answer")]
    NotRecorded,
    /// There was no token.
    #[error("no token: {0}")]
    Token(String),
    /// The request itself cannot be sent.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    /// An answer of another kind than was asked for.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

impl TransportError {
    /// Whether the same request may well succeed a little later.
    pub fn is_worth_repeating(&self) -> bool {
        matches!(self, TransportError::Connect(_) | TransportError::TimedOut | TransportError::Reset(_))
    }
}

/// An error of another crate as one line without anything that looks like a token.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !words.iter().any(|said| said.contains(&text)) {
            words.push(text);
        }
        cause = inner.source();
    }
    plain(&words.join(": "))
}

/// Text of a service on one line, cut to a length that can be read, without anything that looks like a token.
pub(super) fn plain(text: &str) -> String {
    const LONGEST: usize = 600;
    let words: Vec<&str> = text.split_whitespace().map(|word| if word.contains("eyJ") { "…" } else { word }).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_repeated() {
        assert!(TransportError::TimedOut.is_worth_repeating());
        assert!(TransportError::Connect("refused".to_owned()).is_worth_repeating());
        assert!(!TransportError::NotRecorded.is_worth_repeating());
        assert!(!TransportError::Token("az is not installed".to_owned()).is_worth_repeating());
        assert!(!TransportError::TooLarge { limit: 1 }.is_worth_repeating());
    }

    #[test]
    fn errors_become_one_line_without_tokens() {
        assert_eq!(plain("sign in\n  first: \"eyJhbGciOi.J9\" was refused"), "sign in first: … was refused");
        assert_eq!(plain(&"x".repeat(1000)).chars().count(), 601);
    }
}
