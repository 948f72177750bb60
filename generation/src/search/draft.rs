use crate::Hypothesis;

/// A text under construction.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Index of the text among those of the prompt; 0, the best, in beam search.
    pub sequence: usize,
    /// The text so far; in beam search the best one at present.
    pub hypothesis: &'a Hypothesis,
    /// Number of its first tokens, prompt included, that no longer change.
    pub settled: usize,
}

impl<'a> Draft<'a> {
    /// A draft of which all tokens are settled.
    pub fn settled(sequence: usize, hypothesis: &'a Hypothesis) -> Self {
        Self {
            sequence,
            hypothesis,
            settled: hypothesis.tokens.len(),
        }
    }
}
