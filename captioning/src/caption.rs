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
    /// Log-probability of each token after the start token.
    pub token_log_probs: Vec<f32>,
    /// The sum of the log-probabilities divided by their number to the power of `length_penalty`:
    /// the higher the surer. Comparable between captions of one language and one `length_penalty`.
    pub score: f32,
}
