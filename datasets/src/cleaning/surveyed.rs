use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::check::shortened;

/// The languages in which images have captions, over all examples of each.
#[derive(Default)]
pub(super) struct Surveyed {
    /// By eight bytes of a hash of the image's name.
    images: HashMap<u64, Languages>,
}

/// Languages as bits.
#[derive(Clone, Copy, Default)]
struct Languages {
    /// Those of at least one example.
    once: u64,
    /// Those of at least two.
    twice: u64,
}

impl Surveyed {
    /// Adds the languages of an example.
    pub(super) fn add(&mut self, name: &[u8], languages: u64) {
        let image = self.images.entry(key(name)).or_default();
        image.twice |= image.once & languages;
        image.once |= languages;
    }

    /// The languages that an image has in other examples than one that was added with `own`.
    pub(super) fn elsewhere(&self, name: &[u8], own: u64) -> u64 {
        match self.images.is_empty() {
            true => 0,
            false => {
                let image = self.images.get(&key(name)).copied().unwrap_or_default();
                image.twice | image.once & !own
            }
        }
    }
}

fn key(name: &[u8]) -> u64 {
    u64::from_le_bytes(shortened(Sha256::new_with_prefix(name)))
}
