/// A model that continues token sequences one step at a time.
///
/// A row is one sequence under construction. What the model has to remember of each row, such as a
/// key-value cache, is in a state that the caller owns.
pub trait StepModel {
    /// What the model remembers of all rows between steps.
    type State;
    /// Why a step failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Number of tokens of the vocabulary.
    fn vocab_size(&self) -> usize;

    /// Appends tokens to every row and returns the logits of the next token.
    ///
    /// The first call feeds the prompts, later calls feed one token per row. The result is
    /// `[rows, vocab_size]`, row after row, for the position after the last token of each row. Minus
    /// infinity means that a token is impossible. A row with NaN or infinity ends its prompt with an
    /// error.
    ///
    /// # Errors
    /// The model's own error; it ends the whole call.
    fn step(
        &self,
        tokens: TokenBatch<'_>,
        state: &mut Self::State,
    ) -> Result<Vec<f32>, Self::Error>;

    /// Takes back the logits of the latest step before another one, so that their memory can be
    /// reused. By default it is freed.
    fn recycle(&self, _logits: Vec<f32>) {}

    /// Makes the new row `i` a continuation of the old row `parents[i]`: reorders, repeats or drops
    /// rows. Not called if every row continues in its place.
    ///
    /// # Errors
    /// The model's own error; it ends the whole call.
    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Self::Error>;

    /// Whether the rows of another state, which the model has been fed nothing of, can [`join`](Self::join) those of
    /// a state. By default they can't.
    fn can_join(&self, _state: &Self::State, _other: &Self::State) -> bool {
        false
    }

    /// Appends the rows of another state, which the model has been fed nothing of, behind those of a state. From then
    /// on, [`step`](Self::step) appends one token to every row, whatever its length. Rows that joined stay behind
    /// those that were there before, also when rows are selected. Only called if they
    /// [can join](Self::can_join).
    ///
    /// # Errors
    /// The model's own error; it ends everything that is under way.
    fn join(&self, _state: &mut Self::State, _other: Self::State) -> Result<(), Self::Error> {
        panic!("a model that says that states can be joined has to join them");
    }

    /// A shortlist: the tokens that [`step`](Self::step) scores, ascending, if they are not the whole
    /// vocabulary. The logits are then `[rows, scored tokens]`, and all other tokens are impossible.
    fn scored_tokens<'s>(&self, _state: &'s Self::State) -> Option<&'s [u32]> {
        None
    }

    /// The hidden states of the last token of each row at the latest step, `[rows, width]`, from
    /// which the logits were computed. Only contrastive search needs them; by default there are none.
    ///
    /// # Errors
    /// The model's own error; it ends the whole call.
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
    /// A batch of `rows` sequences of equal length.
    ///
    /// # Panics
    /// If the number of ids is 0 or not a multiple of `rows`.
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

    /// Number of sequences.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of tokens that each row is fed.
    pub fn new_tokens(&self) -> usize {
        self.ids.len() / self.rows
    }

    /// The last token of a row.
    pub fn last(&self, row: usize) -> u32 {
        self.ids[(row + 1) * self.new_tokens() - 1]
    }
}
