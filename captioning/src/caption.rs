use preprocess::text::Language;

use crate::Error;

/// The captions of an image in one language.
#[derive(Debug)]
pub struct LanguageCaptions {
    /// The language.
    pub language: Language,
    /// The captions, best first, or why none was found, such as [`Error::WordsMissing`]. The list may be
    /// empty if an observer has stopped the search.
    pub captions: Result<Vec<Caption>, Error>,
}

/// A caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Caption {
    /// The language that was asked for.
    pub language: Language,
    /// The text, without special tokens.
    pub text: String,
    /// All tokens: start token, language code, text, and the end token if the model ended the caption.
    pub ids: Vec<u32>,
    /// The log-probability of each generated token. The start token is not generated, nor is a prefix with
    /// the language code before it.
    pub token_log_probs: Vec<f32>,
    /// The sum of the log-probabilities, divided by their number to the power of `length_penalty`. Scores
    /// can be compared within a language and for the same `length_penalty`.
    pub score: f32,
    /// The most likely tokens at the position of each generated token, most likely first: as many as
    /// [`CaptionOptions::alternatives`](crate::CaptionOptions::alternatives) asks for. The generated token
    /// need not be among them.
    pub alternatives: Vec<Vec<TokenAlternative>>,
}

/// A token that the model could have chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenAlternative {
    /// The token.
    pub id: u32,
    /// The text that it adds, including a leading space; for a special token, its name.
    pub text: String,
    /// Its log-probability, computed as in [`Caption::token_log_probs`].
    pub log_prob: f32,
}

impl LanguageCaptions {
    /// The best caption, if one was found.
    pub fn best(&self) -> Option<&Caption> {
        self.captions.as_ref().ok()?.first()
    }
}
