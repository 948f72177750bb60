use std::collections::HashSet;

use rayon::prelude::*;
use unicode_script::{Script, UnicodeScript};

use super::Tokenizer;
use super::scripts::scripts;
use crate::Error;

/// Number of texts of a corpus that are held in memory and tokenised in parallel.
const CHUNK_TEXTS: usize = 4096;

/// Vocabulary shortlists: the ids worth scoring when only some languages are written. A decoder's head has a row for
/// each of 250,054 tokens, and most of them are in scripts that a caption never needs.
impl Tokenizer {
    /// Ids of the tokens that these languages are written with, ascending and without duplicates.
    ///
    /// These are the special tokens, including the language codes, and every token whose characters all belong to a
    /// script of one of the languages (Unicode's property Script,
    /// [UAX #24](https://www.unicode.org/reports/tr24/)) or to no particular script (Common and Inherited: digits,
    /// punctuation, spaces, emoji, combining accents).
    ///
    /// If texts mix in words of another script, such as Latin names or the `T` of `Tシャツ` in Japanese, add a language
    /// of that script: `["ja_XX", "en_XX"]`. If one of the languages is in neither [`LANGUAGES`](super::LANGUAGES) nor
    /// [`MORE_LANGUAGES`](super::MORE_LANGUAGES), its scripts are not known, and no token is left out.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`], which lists the tokenizer's codes, if it lacks one of these.
    pub fn shortlist_of_languages(&self, codes: &[&str]) -> Result<Vec<u32>, Error> {
        let mut written = vec![Script::Common, Script::Inherited];
        let mut all_are_known = true;
        for code in codes {
            self.language_id(code)?;
            match scripts(code) {
                Some(scripts) => written.extend(scripts),
                None => all_are_known = false,
            }
        }
        Ok(self.shortlist(&self.token_texts(), |_, text| {
            let mut letters = text.chars();
            !all_are_known || letters.all(|letter| written.contains(&letter.script()))
        }))
    }

    /// Ids of the tokens that occur at least `min_count` times in these texts together, ascending and without
    /// duplicates.
    ///
    /// Texts are tokenised in parallel, as [`encode`](Self::encode) does. A `min_count` of 0 keeps the whole
    /// vocabulary.
    ///
    /// The list also has the special tokens, including the language codes, and the token of every single character
    /// that occurs at all, so that words whose tokens are too rare can still be spelled. Characters that never occur
    /// are left out: Chinese has thousands of them, and a corpus of some thousand words has all letters of an alphabet.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if a text can't be split into pieces.
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
            counts[id] >= min_count
                || only_character(text).is_some_and(|letter| letters.contains(&letter))
        }))
    }

    /// The special tokens, and the tokens that `keep` accepts by id and text.
    fn shortlist(
        &self,
        token_texts: &[Option<String>],
        keep: impl Fn(usize, &str) -> bool,
    ) -> Vec<u32> {
        let special = self.special_ids();
        let kept = |id: u32, text: &Option<String>| match text {
            Some(text) => keep(id as usize, text),
            None => false,
        };
        (0..)
            .zip(token_texts)
            .filter(|(id, text)| special.contains(id) || kept(*id, text))
            .map(|(id, _)| id)
            .collect()
    }

    /// Tokens that the file marks as special, and those that a search needs even if the file does not mark them.
    fn special_ids(&self) -> HashSet<u32> {
        let marked = self.inner.get_added_tokens_decoder().into_iter();
        let marked = marked.filter(|(_, token)| token.special).map(|(id, _)| id);
        let named = self
            .special
            .iter()
            .filter_map(|(_, token)| self.token_id(token));
        let codes = self.languages().map(|(_, id)| id);
        marked.chain(named).chain(codes).collect()
    }

    /// For every id, the number of times that it occurs in the texts.
    fn count_tokens<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Vec<usize>, Error> {
        let mut counts = vec![0; self.vocab_size()];
        let mut texts = texts.into_iter();
        loop {
            let chunk: Vec<&str> = texts.by_ref().take(CHUNK_TEXTS).collect();
            if chunk.is_empty() {
                return Ok(counts);
            }
            let rows: Vec<Vec<u32>> = chunk
                .par_iter()
                .map(|text| self.pieces(text))
                .collect::<Result<_, _>>()?;
            for id in rows.into_iter().flatten() {
                counts[id as usize] += 1;
            }
        }
    }
}

/// The character of a text that has exactly one.
fn only_character(text: &str) -> Option<char> {
    let mut letters = text.chars();
    letters.next().filter(|_| letters.next().is_none())
}
