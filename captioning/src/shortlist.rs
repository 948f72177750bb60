use mbart50_decoder::Language;
use vision_encoder_decoder::Shortlist;

use crate::{Captioner, Error};

impl Captioner {
    /// A head that scores some tokens only, for [`CaptionOptions::shortlist`]: nearly as many
    /// captions for less work, since scoring the vocabulary is more than half of a step.
    ///
    /// `tokens` are ascending ids, such as [`Tokenizer::shortlist_of_languages`] or
    /// [`Tokenizer::shortlist_of_texts`] make. Captions are those that come of making all other
    /// tokens impossible. Making it copies the head's rows of these tokens, so make it once.
    ///
    /// # Errors
    /// [`Error::Shortlist`] if the ids do not ascend, are none, or are beyond the vocabulary.
    ///
    /// [`CaptionOptions::shortlist`]: crate::CaptionOptions::shortlist
    /// [`Tokenizer::shortlist_of_languages`]: crate::Tokenizer::shortlist_of_languages
    /// [`Tokenizer::shortlist_of_texts`]: crate::Tokenizer::shortlist_of_texts
    pub fn shortlist(&self, tokens: &[u32]) -> Result<Shortlist, Error> {
        let decoder = &self.model().decoder;
        let vocab_size = decoder.vocab_size();
        let ascend = tokens.is_sorted_by(|a, b| a < b);
        let fit = tokens
            .last()
            .is_some_and(|last| (*last as usize) < vocab_size);
        match ascend && fit {
            true => Ok(decoder.shortlist(tokens)),
            false => Err(Error::Shortlist { vocab_size }),
        }
    }

    /// Likewise of all tokens that these languages are written with.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`] for a language that the model does not write.
    pub fn shortlist_of_languages(&self, languages: &[Language]) -> Result<Shortlist, Error> {
        let mut codes = Vec::with_capacity(languages.len());
        for language in languages {
            codes.push(self.language(language.code)?.code);
        }
        self.shortlist(&self.tokenizer().shortlist_of_languages(&codes)?)
    }
}
