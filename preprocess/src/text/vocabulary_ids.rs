use tokenizers::models::bpe::Vocab;

use super::limits;
use super::quoted::quoted;
use super::vocabulary::check_count;
use crate::Error;

/// A vocabulary that gives each token its id, as BPE and WordPiece have it.
pub(super) struct VocabularyIds {
    pub(super) ids: Vocab,
    /// The largest id plus one. Ids may have gaps.
    pub(super) size: usize,
}

impl VocabularyIds {
    /// A vocabulary of these tokens. Of a token that is there twice, the last id counts.
    ///
    /// # Errors
    /// [`Error::TokenizerFile`] if there are none or too many, if one is too long, or if two have one id.
    pub(super) fn new(tokens: Vec<(String, u32)>) -> Result<Self, Error> {
        if tokens.is_empty() {
            return Err(Error::tokenizer_file("tokens", "an empty vocabulary"));
        }
        check_count(tokens.len())?;
        for (token, id) in &tokens {
            if token.len() > limits::PIECE_BYTES {
                return Err(Error::tokenizer_file(
                    format!("tokens of at most {} bytes", limits::PIECE_BYTES),
                    format!("{} bytes at id {id}", token.len()),
                ));
            }
            if *id as usize >= limits::PIECES {
                return Err(Error::tokenizer_file(
                    format!("ids below {}", limits::PIECES),
                    format!("{id} for {}", quoted(token)),
                ));
            }
        }
        let mut ids = Vocab::with_capacity(tokens.len());
        ids.extend(tokens);
        let size = ids.values().max().map_or(0, |id| *id as usize + 1);
        let mut taken = vec![false; size];
        for (token, id) in &ids {
            if std::mem::replace(&mut taken[*id as usize], true) {
                return Err(Error::tokenizer_file(
                    "an id of its own for each token",
                    format!("{id} for {} and another one", quoted(token)),
                ));
            }
        }
        Ok(Self { ids, size })
    }

    /// A vocabulary of tokens in the order of their ids.
    ///
    /// # Errors
    /// [`Error::TokenizerFile`] if there are none or too many, or if one is too long.
    pub(super) fn in_order<'t>(tokens: impl Iterator<Item = &'t str>) -> Result<Self, Error> {
        // One more than fit is enough to see that there are too many.
        let tokens = tokens.take(limits::PIECES + 1);
        Self::new(tokens.map(str::to_owned).zip(0..).collect())
    }

    /// Checks that the token for what a vocabulary lacks is in the vocabulary.
    ///
    /// # Errors
    /// [`Error::TokenizerFile`] if it is not.
    pub(super) fn check_unknown(&self, token: &str) -> Result<(), Error> {
        match self.ids.contains_key(token) {
            true => Ok(()),
            false => Err(Error::tokenizer_file(
                format!("the unk_token {} in the vocabulary", quoted(token)),
                "none",
            )),
        }
    }
}
