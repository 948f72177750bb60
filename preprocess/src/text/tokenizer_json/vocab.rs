use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::limits;
use super::super::vocabulary_ids::VocabularyIds;
use crate::Error;

/// The tokens and ids of a `vocab`, refused while they are read if there are too many.
pub(super) struct Vocab(Vec<(String, u32)>);

impl Vocab {
    /// # Errors
    /// [`Error::TokenizerFile`] if the vocabulary can't be used.
    pub(super) fn build(self) -> Result<VocabularyIds, Error> {
        VocabularyIds::new(self.0)
    }
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VocabVisitor)
    }
}

struct VocabVisitor;

impl<'de> Visitor<'de> for VocabVisitor {
    type Value = Vocab;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "an object of at most {} tokens with their ids",
            limits::PIECES
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
        let mut tokens = Vec::new();
        while let Some(entry) = map.next_entry()? {
            if tokens.len() == limits::PIECES {
                return Err(A::Error::invalid_length(limits::PIECES + 1, &self));
            }
            tokens.push(entry);
        }
        Ok(Vocab(tokens))
    }
}

/// Two tokens that are joined: a list, or, in files before 2024, a text with a space between.
pub(super) struct Merge(pub(super) (String, String));

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MergeVisitor)
    }
}

struct MergeVisitor;

impl<'de> Visitor<'de> for MergeVisitor {
    type Value = Merge;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a merge of two tokens")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Merge, E> {
        match text.split_once(' ') {
            Some((left, right)) if !right.contains(' ') => {
                Ok(Merge((left.to_owned(), right.to_owned())))
            }
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Merge, A::Error> {
        let parts = (list.next_element()?, list.next_element()?);
        let more: Option<serde::de::IgnoredAny> = list.next_element()?;
        match (parts, more) {
            ((Some(left), Some(right)), None) => Ok(Merge((left, right))),
            _ => Err(A::Error::custom("expected a merge of two tokens")),
        }
    }
}
