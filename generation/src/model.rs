/// A model that continues token sequences one step at a time.
///
/// A row is one sequence under construction. The model keeps what it needs to remember of each row
/// (a key/value cache, a recurrent state, nothing) in a state that the caller owns.
pub trait StepModel {
    /// What the model remembers between steps, for all rows.
    type State;
    /// Why a step failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Tokens that the model scores.
    fn vocab_size(&self) -> usize;

    /// Appends tokens to every row and returns the logits of what comes next.
    ///
    /// The first call feeds the prompts, later ones a token per row. The result is
    /// `[rows, vocab_size]`, row after row, for the last token of each row. Minus infinity stands
    /// for a token that can't come; NaN and infinity are reported as errors.
    ///
    /// # Errors
    /// Whatever went wrong; [`generate`](crate::generate) stops and passes it on.
    fn step(
        &self,
        tokens: TokenBatch<'_>,
        state: &mut Self::State,
    ) -> Result<Vec<f32>, Self::Error>;

    /// Gets the logits of the latest step back, if there will be another: memory for those of the next.
    /// By default it is freed.
    fn recycle(&self, _logits: Vec<f32>) {}

    /// Row `i` goes on from what was row `parents[i]`: reorders, repeats or drops rows. Not called
    /// when every row goes on as itself.
    ///
    /// # Errors
    /// Whatever went wrong, likewise.
    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Self::Error>;

    /// The tokens that [`step`](Self::step) scores, ascending, if they are not the whole vocabulary:
    /// a shortlist. Its result is then `[rows, scored tokens]`, and all other tokens can't come.
    fn scored_tokens<'s>(&self, _state: &'s Self::State) -> Option<&'s [u32]> {
        None
    }

    /// The hidden states behind the last tokens of the latest step, `[rows, width]`, which the
    /// logits were made of. Only contrastive search asks for them; none by default.
    ///
    /// # Errors
    /// Whatever went wrong, likewise.
    fn hidden_states(&self, _state: &Self::State) -> Result<Option<Vec<f32>>, Self::Error> {
        Ok(None)
    }
}

/// Token ids `[rows, new]`, row after row.
#[derive(Clone, Copy, Debug)]
pub struct TokenBatch<'a> {
    ids: &'a [u32],
    rows: usize,
}

impl<'a> TokenBatch<'a> {
    /// # Panics
    /// If the ids do not divide into rows, or there are none.
    pub fn new(ids: &'a [u32], rows: usize) -> Self {
        assert!(
            rows > 0 && !ids.is_empty() && ids.len().is_multiple_of(rows),
            "{} token ids do not make {rows} rows",
            ids.len()
        );
        Self { ids, rows }
    }

    /// All ids, row after row.
    pub fn ids(&self) -> &'a [u32] {
        self.ids
    }

    /// Sequences.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Tokens that each row is fed.
    pub fn new_tokens(&self) -> usize {
        self.ids.len() / self.rows
    }

    /// The last token of a row.
    pub fn last(&self, row: usize) -> u32 {
        self.ids[(row + 1) * self.new_tokens() - 1]
    }
}
