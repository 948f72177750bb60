use mbart50_decoder::Language;

/// What a captioner says of an image in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Caption {
    /// The language that was asked for.
    pub language: Language,
    /// The text, without special tokens.
    pub text: String,
    /// All tokens: start token, language code, words, and the end token if the text ended by
    /// itself.
    pub ids: Vec<u32>,
    /// Log-probability of each token that was generated: those behind the start token, or behind the
    /// words that the caption had to begin with.
    pub token_log_probs: Vec<f32>,
    /// The sum of the log-probabilities divided by their number to the power of `length_penalty`:
    /// the higher the surer. Comparable between captions of one language and one `length_penalty`.
    pub score: f32,
    /// The tokens that were most likely in the place of each of these, most likely first, if
    /// [that is asked for](crate::CaptionOptions::alternatives). The token itself is among them if
    /// it is as likely.
    pub alternatives: Vec<Vec<TokenAlternative>>,
}

/// A token that could come.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenAlternative {
    /// The token.
    pub id: u32,
    /// What it adds to the text, a leading space included; of a special token its name.
    pub text: String,
    /// Its log-probability, as in [`Caption::token_log_probs`].
    pub log_prob: f32,
}
