use std::fmt::Write;
use std::path::Path;

use crate::escape;

/// A path as text, so that different paths have different texts: characters are [escaped](crate::escaped), a byte that
/// is not UTF-8 is `\xff`, a backslash is doubled (except on Windows, where it separates folders), and a space at the
/// start, which would look like the indentation of a line below a name, is `\x20`.
///
/// ```
/// use std::path::Path;
///
/// assert_eq!(report::name(Path::new("new\nline.png")), r"new\nline.png");
/// ```
pub fn name(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' if !cfg!(windows) => text.push_str(r"\\"),
                ' ' if text.is_empty() => text.push_str(r"\x20"),
                _ => escape::push(&mut text, character),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string can't fail.
            let _ = write!(text, r"\x{byte:02x}");
        }
    }
    text
}

/// The bytes of a path that is not UTF-8, in the percent form of URLs (RFC 3986): `A` to `Z`, `a` to `z`, digits and
/// `-._~/` stand for themselves, every other byte is `%` and two hexadecimal digits. `None` for a path that is UTF-8,
/// which needs no other form.
pub fn percent(path: &Path) -> Option<String> {
    if path.to_str().is_some() {
        return None;
    }
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(*byte));
            }
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_shown_as_they_are() {
        for text in ["a.png", "/tmp/my pictures/é 🐧.png", "-x.png", "a...", "-"] {
            assert_eq!(name(Path::new(text)), text);
            assert_eq!(percent(Path::new(text)), None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn different_names_have_different_texts() {
        use std::collections::BTreeSet;
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let names: [&[u8]; 9] = [
            b"bad\xff\xfe.png",
            b"bad\xfe\xff.png",
            b"bad\\xff\\xfe.png",
            "bad\u{ff}\u{fe}.png".as_bytes(),
            b"a\nb",
            b"a\\nb",
            b" a",
            b"\\x20a",
            b"\xe2\x80", // the beginning of a character
        ];
        let paths = names.map(|bytes| Path::new(OsStr::from_bytes(bytes)));
        let texts: BTreeSet<String> = paths.iter().map(|path| name(path)).collect();
        assert_eq!(texts.len(), names.len(), "{texts:?}");
        assert_eq!(name(paths[0]), r"bad\xff\xfe.png");
        assert_eq!(percent(paths[0]).unwrap(), "bad%FF%FE.png");
        assert_eq!(percent(paths[8]).unwrap(), "%E2%80");
    }
}
