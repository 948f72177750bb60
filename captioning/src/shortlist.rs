use preprocess::text::Language;
use vision_encoder_decoder::{Decoder, Shortlist};

use crate::{Captioner, Error};

impl Captioner {
    /// Makes a head that scores only some tokens, for [`CaptionOptions::shortlist`]. Scoring the whole
    /// vocabulary takes more than half the time of a step, so captions are written faster. The captions are
    /// those of a search that forbids all other tokens.
    ///
    /// `tokens` are ascending ids, such as those of [`Tokenizer::shortlist_of_languages`] or
    /// [`Tokenizer::shortlist_of_texts`]. The rows of the head for these tokens are copied, so make a
    /// shortlist once and use it for many calls.
    ///
    /// # Errors
    /// [`Error::Shortlist`] if there are no ids, they do not ascend, or the vocabulary does not have one.
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
        let shortlist = (ascend && fit).then(|| decoder.shortlist(tokens));
        shortlist.flatten().ok_or(Error::Shortlist { vocab_size })
    }

    /// Makes a head that scores only the tokens that these languages are written with; see
    /// [`shortlist`](Self::shortlist).
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`] for a language that the captioner does not write.
    pub fn shortlist_of_languages(&self, languages: &[Language]) -> Result<Shortlist, Error> {
        let mut codes = Vec::with_capacity(languages.len());
        for language in languages {
            codes.push(self.language(language.code)?.code);
        }
        self.shortlist(&self.tokenizer().shortlist_of_languages(&codes)?)
    }
}
