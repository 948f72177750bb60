use crate::Hypothesis;

/// A text under construction.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Which of the prompt's texts it is; of a beam search, 0: the best.
    pub sequence: usize,
    /// The best that there is so far.
    pub hypothesis: &'a Hypothesis,
    /// So many of its tokens, prompt included, no longer change.
    pub settled: usize,
}

impl<'a> Draft<'a> {
    /// Of which nothing changes any more.
    pub fn settled(sequence: usize, hypothesis: &'a Hypothesis) -> Self {
        Self {
            sequence,
            hypothesis,
            settled: hypothesis.tokens.len(),
        }
    }
}
