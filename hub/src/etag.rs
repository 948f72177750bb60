//! Entity tags, which identify the content of a file on the Hub.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::address::is_device_name;

/// The entity tag of a file: the name of its content in the cache and, usually, its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Etag(String);

impl Etag {
    /// Parses a header with a weak or strong tag. `None` if the tag can't be the name of a file.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let tag = header.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        // A tag that ends like this could be the name of another content's incomplete file.
        let is_other_file = [".incomplete", ".tmp", ".lock"]
            .iter()
            .any(|suffix| tag.to_ascii_lowercase().ends_with(suffix));
        let sane = (1..=128).contains(&tag.len())
            && !tag.starts_with('.')
            && tag.chars().all(allowed)
            && !is_other_file
            && !(cfg!(windows) && is_device_name(tag));
        sane.then(|| Self(tag.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash function that computes this tag from a content of `size` bytes.
    pub(crate) fn checksum(&self, size: u64) -> Checksum {
        let is_hash = self.0.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.0.len() {
            64 if is_hash => Checksum::Sha256(Sha256::new()),
            40 if is_hash => {
                // Git hashes an object's kind and length before its content.
                Checksum::GitBlob(Sha1::new_with_prefix(format!("blob {size}\0")))
            }
            _ => Checksum::Unknown,
        }
    }
}

/// The hash function of an entity tag, with its state.
pub(crate) enum Checksum {
    /// That of large files, which are in Git LFS or Xet.
    Sha256(Sha256),
    /// That of files in git itself.
    GitBlob(Sha1),
    /// The tag is not a known hash.
    Unknown,
}

impl Checksum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::GitBlob(hasher) => hasher.update(bytes),
            Self::Unknown => (),
        }
    }

    /// The hash in hexadecimal digits; `None` if the tag is not a known hash.
    pub(crate) fn finish(self) -> Option<String> {
        let hexadecimal = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sha256(hasher) => Some(hexadecimal(&hasher.finalize())),
            Self::GitBlob(hasher) => Some(hexadecimal(&hasher.finalize())),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(tag: &str, content: &[u8]) -> Option<String> {
        let mut checksum = Etag::parse(tag).unwrap().checksum(content.len() as u64);
        checksum.update(&content[..2]);
        checksum.update(&content[2..]);
        checksum.finish()
    }

    /// The values are those of `sha256sum` and `git hash-object`.
    #[test]
    fn the_length_of_a_tag_determines_its_hash_function() {
        assert_eq!(
            hash(&"a".repeat(64), b"hello\n").unwrap(),
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
        );
        assert_eq!(
            hash(&"a".repeat(40), b"hello\n").unwrap(),
            "ce013625030ba8dba906f756967f9e9ca394464a"
        );
        assert_eq!(hash(&"g".repeat(64), b"hello\n"), None);
        assert_eq!(hash("5d41402a-2", b"hello\n"), None);
    }

    #[test]
    fn quotes_and_weakness_are_dropped() {
        for header in ["abc", "\"abc\"", "W/\"abc\"", " \"abc\" "] {
            assert_eq!(Etag::parse(header).unwrap().as_str(), "abc");
        }
    }

    #[test]
    fn tags_that_are_not_file_names_are_refused() {
        let long = "a".repeat(129);
        for header in [
            "",
            "\"\"",
            "W/",
            "..",
            ".a",
            "a/b",
            "../a",
            "a\\b",
            "a b",
            "ä",
            "a:b",
            "abc.incomplete",
            "abc.INCOMPLETE",
            "a.lock",
            &long,
        ] {
            assert_eq!(Etag::parse(header), None, "{header}");
        }
    }
}
