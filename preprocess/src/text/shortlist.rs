use std::collections::HashSet;

use rayon::prelude::*;
use unicode_script::{Script, UnicodeScript};

use super::languages::scripts;
use super::{Tokenizer, save};
use crate::Error;

/// Texts of a corpus that are held and tokenised at a time.
const TEXTS_AT_ONCE: usize = 4096;

/// Vocabulary shortlists: the ids that are worth scoring when only some languages are written. A decoder's head has a
/// row for each of 250,054 tokens, most of them in scripts that a caption never needs.
impl Tokenizer {
    /// Ids of the tokens in which these languages can be written, ascending and without duplicates.
    ///
    /// Those are all tokens whose every character is of a script of one of the languages (the property Script of
    /// [UAX #24](https://www.unicode.org/reports/tr24/)) or of none (Common and Inherited: digits, punctuation, spaces,
    /// emoji, accents that combine), and all special tokens, language codes among them.
    ///
    /// Only the languages' own scripts count. Where a text mixes in words of another one, such as Latin names and the
    /// letters of `Tシャツ` in Japanese, name a language of that script too: `["ja_XX", "en_XX"]`.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`], whose message lists the codes that would do.
    pub fn shortlist_of_languages(&self, codes: &[&str]) -> Result<Vec<u32>, Error> {
        let mut written = vec![Script::Common, Script::Inherited];
        for code in codes {
            self.language_id(code)?;
            written.extend(scripts(code));
        }
        Ok(self.shortlist(&self.token_texts(), |_, text| {
            text.chars()
                .all(|letter| written.contains(&letter.script()))
        }))
    }

    /// Ids of the tokens that occur in these texts at least `min_count` times, ascending and without duplicates.
    ///
    /// Texts are tokenised as by [`encode`](Self::encode), in parallel, and count together. A `min_count` of 0 keeps
    /// the whole vocabulary.
    ///
    /// Kept besides are all special tokens, language codes among them, and the token of every single character that
    /// occurs, however rarely, so that words whose tokens are too rare can still be spelled. Characters that never
    /// occur are left out: in Chinese these are thousands, which a shortlist should save, and a corpus of some
    /// thousand words has all letters of an alphabet.
    ///
    /// # Errors
    /// [`Error::Tokenize`].
    pub fn shortlist_of_texts<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t str>,
        min_count: usize,
    ) -> Result<Vec<u32>, Error> {
        let counts = self.count_tokens(texts)?;
        let token_texts = self.token_texts();
        let occurring = token_texts
            .iter()
            .zip(&counts)
            .filter(|(_, count)| **count > 0);
        let letters: HashSet<char> = occurring
            .filter_map(|(text, _)| text.as_deref())
            .flat_map(str::chars)
            .collect();
        Ok(self.shortlist(&token_texts, |id, text| {
            counts[id] >= min_count || single(text).is_some_and(|letter| letters.contains(&letter))
        }))
    }

    /// The special tokens, and the others that are worth it by index and text.
    fn shortlist(
        &self,
        token_texts: &[Option<String>],
        worth: impl Fn(usize, &str) -> bool,
    ) -> Vec<u32> {
        let special = self.special_ids();
        let is_worth = |id: u32, text: &Option<String>| match text {
            Some(text) => worth(id as usize, text),
            None => false,
        };
        (0..)
            .zip(token_texts)
            .filter(|(id, text)| special.contains(id) || is_worth(*id, text))
            .map(|(id, _)| id)
            .collect()
    }

    /// Special tokens, those that a file added and those that a search needs even if a file does not mark them.
    fn special_ids(&self) -> HashSet<u32> {
        let marked = self.inner.get_added_tokens_decoder().into_iter();
        let marked = marked.filter(|(_, token)| token.special).map(|(id, _)| id);
        let named = save::NAMED
            .iter()
            .filter_map(|(_, token)| self.token_id(token));
        let codes = self.languages().map(|(_, id)| id);
        marked.chain(named).chain(codes).collect()
    }

    /// For every id, how often it occurs in the texts.
    fn count_tokens<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Vec<usize>, Error> {
        let mut counts = vec![0; self.vocab_size()];
        let mut texts = texts.into_iter();
        loop {
            let some: Vec<&str> = texts.by_ref().take(TEXTS_AT_ONCE).collect();
            if some.is_empty() {
                return Ok(counts);
            }
            let rows: Vec<Vec<u32>> = some
                .par_iter()
                .map(|text| self.pieces(text))
                .collect::<Result<_, _>>()?;
            for id in rows.into_iter().flatten() {
                counts[id as usize] += 1;
            }
        }
    }
}

/// The character of a text that has one only.
fn single(text: &str) -> Option<char> {
    let mut letters = text.chars();
    letters.next().filter(|_| letters.next().is_none())
}
