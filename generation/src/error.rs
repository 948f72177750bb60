use crate::{ConfigError, Hypothesis};

/// The result of one prompt: by default its hypotheses, best first, or samples by index.
///
/// If an observer cuts the generation short, there may be no hypothesis.
pub type PromptResult<T = Vec<Hypothesis>> = Result<T, PromptError>;

/// Why one prompt has no result. The other prompts of the batch are not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The model returned NaN or infinity, or minus infinity for every token.
    #[error(
        "the logits of row {row} at step {step} hold NaN or infinity, or leave no token possible; check the weights and the precision"
    )]
    NotFinite {
        /// Steps of the prompt that had succeeded.
        step: usize,
        /// Row of the prompt: the index of one of its hypotheses.
        row: usize,
    },
    /// Processors left no token possible before any text was finished.
    #[error("no token is possible at step {step}: the options forbid all of them")]
    NothingPossible {
        /// Steps of the prompt that had succeeded.
        step: usize,
    },
    /// No text has all required phrases.
    #[error(
        "no text with all {phrases} required phrases was found in {step} steps; allow more tokens, beams or time, or ask for other words"
    )]
    PhrasesMissing {
        /// Phrases that the prompt requires.
        phrases: usize,
        /// Steps of the prompt that had succeeded.
        step: usize,
    },
}

/// Why a whole call of generation failed. `E` is the model's own error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError<E> {
    /// The options contradict each other or the prompts; found before any work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The model can't add rows to those that are under way in a [`Decoding`](crate::Decoding).
    #[error("the rows can't join those under way; add them when the loop is empty")]
    CannotJoin,
    /// The model failed.
    #[error("the model failed at step {step}")]
    Model {
        /// Steps that had succeeded.
        step: usize,
        /// The model's error.
        source: E,
    },
    /// The model returned the wrong number of logits.
    #[error(
        "the model returned {found} logits at step {step}, expected {expected}: {rows} rows of its vocabulary"
    )]
    WrongSize {
        /// Steps that had succeeded.
        step: usize,
        /// Logits returned.
        found: usize,
        /// Logits expected.
        expected: usize,
        /// Rows of the step.
        rows: usize,
    },
    /// Contrastive search needs hidden states, and the model returned none, or a number of values that
    /// is not a multiple of the rows.
    #[error(
        "the model gave no hidden states of {rows} rows at step {step}, which contrastive search (penalty_alpha) needs"
    )]
    NoHiddenStates {
        /// Steps that had succeeded.
        step: usize,
        /// Rows of the step.
        rows: usize,
    },
}
