/// Why a configuration, or a call with it, can't be used. Found before any work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not a JSON object.
    #[error("not a generation configuration")]
    Json(#[from] serde_json::Error),
    /// An option has a value that it can't have, often one of the wrong type.
    #[error("{option} is {found}, expected {expected}")]
    Value {
        /// Name of the option.
        option: String,
        /// The beginning of the value, as JSON.
        found: String,
        /// What it can be.
        expected: &'static str,
    },
    /// The options of a file can't be used.
    #[error("the generation options in {file} can't be used")]
    InFile {
        /// The file.
        file: String,
        /// What is wrong with them.
        source: Box<ConfigError>,
    },
    /// Names of options that this crate does not support, with values that would change the result.
    #[error("generation options that are not supported: {}; remove them to generate without", .0.join(", "))]
    Unsupported(Vec<String>),
    /// A command-line setting that is not a name and a value.
    #[error("{0}: expected NAME=VALUE")]
    Setting(String),
    /// An option has a value that it can't have.
    #[error("{option} is {value}, expected {expected}")]
    OutOfRange {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// The values that it can have.
        expected: String,
    },
    /// Options that can't be combined.
    #[error("{} and {} contradict each other: {reason}", .options[0], .options[1])]
    Contradiction {
        /// Names of the options; `required` stands for the required phrases of a prompt.
        options: [&'static str; 2],
        /// What can be combined, and what was found.
        reason: String,
    },
    /// An option that has to be set.
    #[error("{option} is not set: {reason}")]
    Missing {
        /// Name of the option.
        option: &'static str,
        /// Why it has to be set.
        reason: &'static str,
    },
    /// A list, string or phrase without content, or otherwise malformed.
    #[error("{place} has {problem}")]
    Malformed {
        /// Name of the option, or of the part of the call.
        place: &'static str,
        /// What it has and should not have.
        problem: &'static str,
    },
    /// A token that the model does not have.
    #[error("{place} has token {token}, but the vocabulary ends at {}", .vocab_size.saturating_sub(1))]
    UnknownToken {
        /// Name of the option, or of the part of the call.
        place: &'static str,
        /// The token.
        token: u32,
        /// Tokens of the model's vocabulary.
        vocab_size: usize,
    },
    /// Stop strings, or phrases of words, without the text of tokens.
    #[error("{place} need the text of tokens: Generation::with_vocabulary")]
    NeedsVocabulary {
        /// What needs it.
        place: &'static str,
    },
    /// A phrase of words with a token that has no text.
    #[error(
        "{place} has token {token}, which has no text: a special token, or one for what the vocabulary does not know"
    )]
    TokenWithoutText {
        /// The kind of phrase.
        place: &'static str,
        /// The token.
        token: u32,
    },
    /// A vocabulary with the text of more tokens than the model has.
    #[error("the vocabulary has the text of {texts} tokens, but the model scores {vocab_size}")]
    VocabularyTooLong {
        /// Tokens with text.
        texts: usize,
        /// Tokens of the model's vocabulary.
        vocab_size: usize,
    },
    /// A forbidden phrase that the prompt has already.
    #[error("a forbidden phrase is in the prompt (the prefix) already")]
    ForbiddenInPrompt,
    /// A required phrase that is longer than the longest text.
    #[error(
        "a required phrase has {tokens} tokens, but a text has {longest} (max_length or max_new_tokens)"
    )]
    PhraseTooLong {
        /// Tokens of the phrase.
        tokens: usize,
        /// Tokens of the longest text, prompt included.
        longest: usize,
    },
    /// A prompt as long as the longest text.
    #[error(
        "the longest text is {longest} tokens (max_length or max_new_tokens), which leaves none to generate after a prompt of {prompt_length}"
    )]
    NothingToGenerate {
        /// Tokens of the longest text, prompt included.
        longest: usize,
        /// Tokens of the prompt.
        prompt_length: usize,
    },
    /// A model with too few positions for the longest text. For callers that know the model's
    /// positions; this crate does not.
    #[error(
        "the longest text is {longest} tokens (max_length or max_new_tokens), but the model can write {most}"
    )]
    TooFewPositions {
        /// Tokens of the longest text, prompt included.
        longest: usize,
        /// Tokens that the model can write, prompt included.
        most: usize,
    },
    /// Not one search, or one text to score, per prompt.
    #[error("{found} {what} for {prompts} prompts, expected one for each")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many prompts there are.
        prompts: usize,
    },
    /// A custom search that does not begin with its prompt.
    #[error("search {search} does not begin with one row, the tokens of prompt {search}")]
    SearchStart {
        /// Index of the search and its prompt.
        search: usize,
    },
    /// Options that a custom search does not support.
    #[error("{search} does not know {}", .options.join(", "))]
    UnsupportedBySearch {
        /// Name of the search.
        search: &'static str,
        /// The options.
        options: Vec<String>,
    },
    /// A shortlist without an end token.
    #[error("the shortlist lacks eos_token_id {token}, so no text would end")]
    ShortlistLacksEnd {
        /// The end token.
        token: u32,
    },
    /// More scores for each token of a text than memory should be asked for.
    #[error(
        "{option} is {rows}, which needs {rows} rows of {vocab_size} scores at each step; at most {limit} scores are computed"
    )]
    TooManyScores {
        /// The option that asks for the rows.
        option: &'static str,
        /// Number of rows.
        rows: usize,
        /// Tokens of the model's vocabulary.
        vocab_size: usize,
        /// The most scores of a step, [`limits::SCORES`](crate::limits::SCORES).
        limit: usize,
    },
    /// More work for each token of a text than a search should be asked for.
    #[error("{option} has {found} {what}, expected at most {limit}{condition}")]
    TooMany {
        /// Name of the option, or of the part of the call.
        option: &'static str,
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The most that are accepted; see [`limits`](crate::limits).
        limit: usize,
        /// What the limit depends on, such as ` with 4 beams`, or nothing.
        condition: String,
    },
    /// One of several prompts can't be used, or its own options can't.
    #[error("prompt {prompt} can't be used")]
    Prompt {
        /// Index of the prompt.
        prompt: usize,
        /// What is wrong with it.
        source: Box<ConfigError>,
    },
}

impl ConfigError {
    /// The options that the error names.
    pub(crate) fn concerned(&self) -> Vec<&str> {
        match self {
            Self::Value { option, .. } => vec![option],
            Self::OutOfRange { option, .. }
            | Self::TooMany { option, .. }
            | Self::TooManyScores { option, .. } => vec![option],
            Self::Contradiction { options, .. } => options.to_vec(),
            Self::Malformed { place, .. } | Self::UnknownToken { place, .. } => vec![place],
            Self::NothingToGenerate { .. } | Self::TooFewPositions { .. } => {
                vec!["max_new_tokens", "max_length"]
            }
            _ => Vec::new(),
        }
    }
}
