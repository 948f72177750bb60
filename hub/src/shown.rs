//! Text for messages: without credentials, and no longer than a few lines.

use ureq::http::Uri;

/// The most characters of a text from a server or a user that a message repeats.
const LONGEST: usize = 200;

/// What stands in place of a user and a password.
const HIDDEN: &str = "***@";

/// A text from a server or a user, without the users and passwords of the addresses in it, and cut if it is long.
pub(crate) fn shown(text: &str) -> String {
    excerpt(&without_credentials(text))
}

/// A text that should be an address of the Hub and may not be a valid one. Everything that could be a password is left
/// out, even if it has characters that an address can't have.
pub(crate) fn shown_endpoint(text: &str) -> String {
    let Some(at) = text.rfind('@') else {
        return excerpt(text);
    };
    let is_scheme = |scheme: &&str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let scheme = text
        .split_once("://")
        .map(|(scheme, _)| scheme)
        .filter(is_scheme);
    let scheme = scheme.map_or(String::new(), |scheme| format!("{scheme}://"));
    excerpt(&format!("{scheme}{HIDDEN}{}", &text[at + 1..]))
}

/// An address without its query, which may contain signatures, and without credentials.
pub(crate) fn shown_address(address: &Uri) -> String {
    let text = address.to_string();
    shown(text.split(['?', '#']).next().unwrap_or_default())
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

fn without_credentials(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    // Without a scheme, `owner/name@revision` is not an address, but `user:password@host` is one.
    if !text.contains("//")
        && text
            .split('@')
            .next()
            .is_some_and(|user| user.contains(':'))
    {
        rest = hide(text, &mut result);
    }
    while let Some(start) = rest.find("//") {
        let (before, after) = rest.split_at(start + 2);
        result += before;
        rest = hide(after, &mut result);
    }
    result + rest
}

/// Writes the placeholder if a text begins with credentials, and returns what comes after them.
fn hide<'a>(text: &'a str, result: &mut String) -> &'a str {
    let length = credentials(text);
    if length > 0 {
        *result += HIDDEN;
    }
    &text[length..]
}

/// The length of the user and the password, with the `@`, at the start of an address without its scheme.
fn credentials(text: &str) -> usize {
    let until = |is_end: fn(char) -> bool| &text[..text.find(is_end).unwrap_or(text.len())];
    let authority = until(|c| c.is_whitespace() || "/?#\\\"'<>".contains(c));
    if let Some(at) = authority.rfind('@') {
        return at + 1;
    }
    // A password with a slash makes an address invalid, but it is still a password.
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let is_host = authority.ends_with(']') || port.bytes().all(|byte| byte.is_ascii_digit());
    match is_host {
        true => 0,
        false => until(char::is_whitespace).rfind('@').map_or(0, |at| at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_addresses_are_hidden() {
        for (text, expected) in [
            ("https://user:secret@host/a", "https://***@host/a"),
            ("https://secret@host:80/a@b", "https://***@host:80/a@b"),
            ("https://user:sec@ret@host", "https://***@host"),
            ("https://user:sec/ret@host/a", "https://***@host/a"),
            ("//user:secret@host", "//***@host"),
            (
                "bad uri: 'http://u:secret@h' and http://u:secret@h",
                "bad uri: 'http://***@h' and http://***@h",
            ),
            ("user:secret@host/a", "***@host/a"),
            ("user:sec/ret@host", "***@host"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "owner/name@main",
            "owner/name@main:a@b",
            "name@main",
            "https://host/a@b",
            "https://host:8443/a@b",
            "https://[::1]/a@b",
            "C:/models",
            "",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn nothing_before_the_last_at_sign_of_an_endpoint_is_shown() {
        for (text, expected) in [
            ("https://user:secret@host", "https://***@host"),
            ("https://user:sec//ret@host", "https://***@host"),
            ("user:sec//ret@host", "***@host"),
            ("user:sec://ret@host", "***@host"),
            ("ftp://secret@", "ftp://***@"),
            ("https://host", "https://host"),
        ] {
            assert_eq!(shown_endpoint(text), expected, "{text}");
        }
    }

    #[test]
    fn long_text_is_cut() {
        let shown = shown(&"ü".repeat(10_000));
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('…'));
    }
}
