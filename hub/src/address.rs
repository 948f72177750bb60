//! Addresses and relative paths: which characters are allowed, and how they are joined.

use std::path::{Component, Path};

use ureq::http::Uri;

/// Whether a slash-separated path stays below the folder that it is joined to. It may come from a server.
pub(crate) fn is_safe_path(path: &str) -> bool {
    path.split('/').all(|segment| {
        // The standard library knows the special names of this system, such as drives.
        let mut components = Path::new(segment).components();
        components.next() == Some(Component::Normal(segment.as_ref()))
            && components.next().is_none()
            && segment.len() <= 255
            && !segment.contains(|c: char| c == '\\' || c.is_control())
            && !(cfg!(windows) && (segment.contains(':') || is_device_name(segment)))
    }) && path.len() <= MAX_PATH
}

/// The longest path that Linux opens.
const MAX_PATH: usize = 4096;

/// Whether Windows takes a file name for something else: a device, whatever the extension, or a name without the dots
/// and spaces at its end.
pub(crate) fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let is_numbered = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) || is_numbered.is_some_and(|n| {
        n.chars().count() == 1 && n.contains(|c: char| "0123456789¹²³".contains(c))
    }) || name.ends_with(['.', ' '])
}

/// Escapes everything but unreserved characters and those in `kept` (RFC 3986, section 2).
pub(crate) fn percent_encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(character) || kept.contains(character) {
            encoded.push(character);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Undoes [`percent_encode`]; `None` if an escape is incomplete or the result is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part
            .get(..2)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

/// Scheme, host and port, which decide whether the token may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an HTTP or HTTPS address; `None` for other addresses, and where the port is no number, as if a
    /// password had a slash.
    pub(crate) fn of(address: &Uri) -> Option<Self> {
        let (scheme, default_port) = match address.scheme_str()? {
            "http" => ("http", 80),
            "https" => ("https", 443),
            _ => return None,
        };
        let authority = address.authority()?.as_str();
        let port = match authority.rsplit(['@', ']']).next()?.split_once(':') {
            Some((_, port)) if !port.is_empty() => port.parse().ok()?,
            _ => default_port,
        };
        Some(Self {
            scheme: scheme.into(),
            host: address.host()?.to_ascii_lowercase(),
            port,
        })
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }
}

/// The address that a `Location` header leads to (RFC 3986, section 5, without dot segments).
pub(crate) fn join(base: &Uri, location: &str) -> Option<Uri> {
    let scheme = base.scheme_str()?;
    let authority = base.authority()?;
    let absolute = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.contains("://") {
        location.into()
    } else {
        let folder = base
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    absolute.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_folder_are_safe() {
        for path in ["a", "a/b.c", "..a", "a b/ü", ".gitattributes"] {
            assert!(is_safe_path(path), "{path}");
        }
        let long = "a".repeat(256);
        for path in [
            "", ".", "..", "/a", "a/", "a//b", "a/../b", "../a", "a/..", "./a", "a\\b", "..\\a",
            "a\0b", "a\nb", &long,
        ] {
            assert!(!is_safe_path(path), "{path:?}");
        }
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(percent_decode("a%20b%C3%BC").as_deref(), Some("a bü"));
        for text in ["%", "%2", "%+2", "%ff", "%ü"] {
            assert_eq!(percent_decode(text), None, "{text}");
        }
    }

    #[test]
    fn paths_are_not_longer_than_systems_allow() {
        assert!(is_safe_path(&"a/".repeat(2047)[..4093]));
        assert!(!is_safe_path(&format!("{}a", "a/".repeat(1 << 20))));
    }

    #[test]
    fn names_that_windows_understands_otherwise_are_known() {
        for name in [
            "con",
            "NUL.txt",
            "aux.tar.gz",
            "com1",
            "LPT9.x",
            "COM¹",
            "nul .txt",
            "a.",
            "a ",
        ] {
            assert!(is_device_name(name), "{name}");
        }
        for name in [
            "config.json",
            "com",
            "com10",
            "console",
            "a.con",
            "lptx",
            ".nul",
        ] {
            assert!(!is_device_name(name), "{name}");
        }
    }

    #[test]
    fn reserved_characters_are_escaped() {
        assert_eq!(percent_encode("refs/pr/1", ""), "refs%2Fpr%2F1");
        assert_eq!(
            percent_encode("a b/ü?#%.bin", "/"),
            "a%20b/%C3%BC%3F%23%25.bin"
        );
    }

    #[test]
    fn locations_are_relative_to_the_address_that_sent_them() {
        let base: Uri = "https://hub:8443/a/b?c".parse().unwrap();
        let joined = |location| join(&base, location).unwrap().to_string();
        assert_eq!(joined("/x/y?z"), "https://hub:8443/x/y?z");
        assert_eq!(joined("y"), "https://hub:8443/a/y");
        assert_eq!(joined("//other/x"), "https://other/x");
        assert_eq!(joined("http://other/x"), "http://other/x");
        assert!(join(&base, "/a b").is_none());
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin = |address: &str| Origin::of(&address.parse().unwrap());
        assert_eq!(origin("https://Hub/a"), origin("https://hub:443/b"));
        assert_ne!(origin("https://hub"), origin("http://hub"));
        assert_ne!(origin("http://hub:1"), origin("http://hub:2"));
        assert_ne!(origin("https://hub"), origin("https://hub.example"));
        assert_eq!(origin("ftp://hub"), None);
        assert_eq!(origin("/relative"), None);
        assert_eq!(origin("http://user:secret/b@hub"), None);
        assert_eq!(origin("http://u:p@hub:1"), origin("http://hub:1"));
        assert_eq!(origin("http://[::1]:80"), origin("http://[::1]"));
    }
}
