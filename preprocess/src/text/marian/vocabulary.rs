use std::collections::{BTreeMap, HashMap};

use crate::Error;
use crate::text::limits;

/// The ids of pieces: a `vocab.json`.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    ids: BTreeMap<Box<str>, u32>,
    pieces: HashMap<u32, Box<str>>,
}

impl Vocabulary {
    /// Reads the bytes of a `vocab.json`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let ids: BTreeMap<Box<str>, u32> = serde_json::from_slice(bytes)?;
        let count = ids.len();
        if count > limits::PIECES {
            return Err(Error::tokenizer_file(
                format!("a vocabulary of at most {} pieces", limits::PIECES),
                count.to_string(),
            ));
        }
        let pieces = ids.iter().map(|(piece, id)| (*id, piece.clone()));
        Ok(Self {
            pieces: pieces.collect(),
            ids,
        })
    }

    pub(super) fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    pub(super) fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.get(&id).map(AsRef::as_ref)
    }

    /// The largest id plus one.
    pub(super) fn size(&self) -> usize {
        let largest = self.pieces.keys().max();
        largest.map_or(0, |id| *id as usize + 1)
    }

    /// The codes of target languages, such as `fra` of the piece `>>fra<<`, in alphabetical order, with their ids.
    pub(super) fn languages(&self) -> impl Iterator<Item = (&str, u32)> {
        self.ids.iter().filter_map(|(piece, id)| {
            let code = piece.strip_prefix(">>")?.strip_suffix("<<")?;
            Some((code, *id))
        })
    }
}
