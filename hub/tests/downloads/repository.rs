//! The repositories of the tests' Hub.

use std::collections::BTreeMap;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Commit and files by revision.
#[derive(Clone, Default)]
pub(crate) struct Repository {
    pub(crate) revisions: BTreeMap<String, (String, Files)>,
}

/// Files by path.
pub(crate) type Files = BTreeMap<String, StoredFile>;

/// A file and where the Hub stores it.
#[derive(Clone)]
pub(crate) struct StoredFile {
    pub(crate) content: Vec<u8>,
    pub(crate) storage: Storage,
}

/// Where a content is stored, and what its entity tag is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// On the Hub, with git's hash.
    Git,
    /// On another server, with a SHA-256.
    Large,
    /// On the Hub, with this tag.
    Tagged(&'static str),
}

impl StoredFile {
    pub(crate) fn etag(&self) -> String {
        match self.storage {
            Storage::Tagged(tag) => tag.into(),
            Storage::Large => hexadecimal(&Sha256::digest(&self.content)),
            Storage::Git => {
                let mut hasher = Sha1::new_with_prefix(format!("blob {}\0", self.content.len()));
                hasher.update(&self.content);
                hexadecimal(&hasher.finalize())
            }
        }
    }
}

impl Repository {
    /// Adds a revision whose commit consists of one digit, `commit`.
    pub(crate) fn with_revision(mut self, revision: &str, commit: char, files: Files) -> Self {
        let commit = commit.to_string().repeat(40);
        self.revisions.insert(revision.into(), (commit, files));
        self
    }

    pub(crate) fn commit(&self, revision: &str) -> &str {
        &self.revisions[revision].0
    }

    /// Commit and files of a revision or commit.
    pub(crate) fn find(&self, revision: &str) -> Option<&(String, Files)> {
        let by_commit = || {
            self.revisions
                .values()
                .find(|(commit, _)| commit == revision)
        };
        self.revisions.get(revision).or_else(by_commit)
    }
}

/// A checkpoint with a large file of 300,000 bytes, which takes several reads, and a tokenizer.
pub(crate) fn checkpoint(seed: u32) -> Files {
    let config = format!(r#"{{"seed": {seed}}}"#);
    [
        ("README.md", stored(b"Nobody downloads this.", Storage::Git)),
        ("config.json", stored(config.as_bytes(), Storage::Git)),
        (
            "model.safetensors",
            stored(&noise(300_000, seed), Storage::Large),
        ),
        ("tokenizer.json", stored(&noise(5_000, seed), Storage::Git)),
    ]
    .map(|(path, file)| (path.into(), file))
    .into()
}

/// The files of [`checkpoint`] that are downloaded.
pub(crate) const NEEDED: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

pub(crate) fn stored(content: &[u8], storage: Storage) -> StoredFile {
    StoredFile {
        content: content.into(),
        storage,
    }
}

/// Bytes of a linear congruential generator, so that a wrong position shows.
pub(crate) fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
