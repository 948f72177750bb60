use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::Caption;

/// How many images have each caption, by eight bytes of a hash.
pub(in super::super) struct CommonCaptions {
    most: u32,
    counts: HashMap<u64, u32>,
}

impl CommonCaptions {
    pub(in super::super) fn new(most: u32) -> Self {
        Self {
            most,
            counts: HashMap::new(),
        }
    }

    /// What is wrong with a caption that is on so many images already.
    pub(in super::super) fn check(&self, caption: &Caption) -> Option<String> {
        let count = self.counts.get(&key(caption)).copied().unwrap_or(0);
        (count >= self.most).then(|| format!("{count} images before have it"))
    }

    /// Counts a caption of an image that is kept.
    pub(in super::super) fn insert(&mut self, caption: &Caption) {
        *self.counts.entry(key(caption)).or_insert(0) += 1;
    }
}

fn key(caption: &Caption) -> u64 {
    let mut hash = Sha256::new_with_prefix(caption.language.code);
    hash.update(caption.text.trim());
    u64::from_le_bytes(crate::cleaning::check::shortened(hash))
}
