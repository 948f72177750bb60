use crate::ConfigError;

/// Why generation stopped without a result. `E` is the model's own error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError<E: std::error::Error + 'static> {
    /// The options contradict each other or the prompts; found before any work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The model failed.
    #[error("the model failed at step {step}")]
    Model {
        /// Steps that had succeeded.
        step: usize,
        /// What the model said.
        source: E,
    },
    /// The model returned logits of the wrong size.
    #[error(
        "the model returned {found} logits at step {step}, expected {expected}: {rows} rows of its vocabulary"
    )]
    WrongSize {
        /// Steps that had succeeded.
        step: usize,
        /// Logits returned.
        found: usize,
        /// Logits wanted.
        expected: usize,
        /// Rows of the step.
        rows: usize,
    },
    /// The model returned NaN or infinity, or left no token possible.
    #[error(
        "the logits of row {row} at step {step} hold NaN or infinity, or leave no token possible; check the weights and the precision"
    )]
    NotFinite {
        /// Steps that had succeeded.
        step: usize,
        /// Row of the step.
        row: usize,
    },
    /// Contrastive search asked for hidden states.
    #[error(
        "the model gave no hidden states of {rows} rows at step {step}, which contrastive search (penalty_alpha) needs"
    )]
    NoHiddenStates {
        /// Steps that had succeeded.
        step: usize,
        /// Rows of the step.
        rows: usize,
    },
    /// Processors left no token possible before any text was finished.
    #[error(
        "no token is possible for prompt {prompt} at step {step}: the options forbid all of them"
    )]
    NothingPossible {
        /// Number of the prompt.
        prompt: usize,
        /// Steps that had succeeded.
        step: usize,
    },
    /// No text has all phrases that were asked for.
    #[error(
        "no text for prompt {prompt} with all of its {phrases} required phrases was found in {step} steps; allow more tokens, beams or time, or ask for other words"
    )]
    PhrasesMissing {
        /// Number of the prompt.
        prompt: usize,
        /// Phrases that the prompt requires.
        phrases: usize,
        /// Steps that had succeeded.
        step: usize,
    },
}
