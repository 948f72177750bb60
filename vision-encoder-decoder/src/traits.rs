use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Bool, Int, Tensor};
use transformer_layers::Shortlist;

/// What a decoder attends to: an encoder's output.
#[derive(Clone, Debug)]
pub struct Memory {
    /// `[sources, positions, width]`
    pub hidden: Tensor<3>,
    /// `[sources, positions]`, true = ignore.
    pub padding: Option<Tensor<2, Bool>>,
}

/// Turns sources, which are images or texts, into memory for a decoder to attend to.
pub trait Encoder: Module + ModuleDisplay {
    /// A batch of sources: pixel values, token ids with their padding, or whatever else the encoder
    /// takes.
    type Input;

    /// Encodes a batch. The memory has the sources in the order of the input.
    fn encode(&self, input: Self::Input) -> Memory;
}

/// Writes text, attending to memory.
///
/// A decoder holds no decoding state. A row is one text under construction; the state of all rows is a
/// value that the caller owns.
pub trait Decoder: Module + ModuleDisplay {
    /// What is remembered between calls.
    type State;

    /// The number of tokens that [`logits`](Self::logits) scores.
    fn vocab_size(&self) -> usize;

    /// Longest text, in tokens, if there is a limit.
    fn max_positions(&self) -> Option<usize> {
        None
    }

    /// The state before the first token. Row `r` will attend to source `row_sources[r]`. What is computed
    /// from the memory alone is computed here, once per source, however many rows attend to it.
    /// [`RowSources`](crate::RowSources) keeps track of which row attends to which source.
    ///
    /// # Panics
    /// If `row_sources` is empty or names a source that does not exist.
    fn start(&self, memory: Memory, row_sources: &[usize]) -> Self::State;

    /// Appends tokens to every row and returns their hidden states. No token attends to padding before
    /// it, and the hidden states at padding are meaningless.
    ///
    /// # Shapes
    /// - tokens: `[rows, new]`
    /// - padding: `[rows, new]`, true = ignore
    /// - output: `[rows, new, width]`
    ///
    /// # Panics
    /// If the number of rows is not the state's, or the texts become longer than
    /// [`max_positions`](Self::max_positions).
    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut Self::State,
    ) -> Tensor<3>;

    /// Scores the vocabulary.
    ///
    /// # Shapes
    /// - hidden: `[rows, new, width]`
    /// - output: `[rows, new, vocabulary]`
    fn logits(&self, hidden: Tensor<3>) -> Tensor<3>;

    /// A head that scores only these tokens, which must ascend strictly. `None` if the decoder has no such
    /// head: then all tokens are scored.
    ///
    /// # Panics
    /// If there are no tokens, they do not ascend strictly, or one is not in the vocabulary.
    fn shortlist(&self, _tokens: &[u32]) -> Option<Shortlist> {
        None
    }

    /// Reorders, repeats or drops rows: row `i` continues what was row `parents[i]`.
    ///
    /// # Panics
    /// If `parents` is empty or names a row that does not exist.
    fn select_rows(&self, state: &mut Self::State, parents: &[usize]);

    /// Whether the rows of another state can [`join`](Self::join) those of a state. By default they can't.
    fn can_join(&self, _state: &Self::State, _other: &Self::State) -> bool {
        false
    }

    /// Appends the rows of another state behind those of a state, whose texts may be of another length. Rows that
    /// joined stay behind those that were there before, also when rows are [selected](Self::select_rows).
    ///
    /// # Panics
    /// If the states [can't be joined](Self::can_join).
    fn join(&self, _state: &mut Self::State, _other: Self::State) {
        panic!("states of this decoder can't be joined");
    }

    /// Starts recording cross-attention weights. A state that does not record costs nothing more; a
    /// decoder that can't record ignores the call.
    fn record_attention(&self, _state: &mut Self::State) {}

    /// The recorded cross-attention weights, averaged over heads: one tensor per layer, the first layer
    /// first. The weights of one token sum to 1 over positions. `None` if nothing was recorded.
    ///
    /// # Shapes
    /// - output: `[rows, tokens fed since recording began, positions]`
    fn recorded_attention(&self, _state: &Self::State) -> Option<Vec<Tensor<3>>> {
        None
    }
}

impl From<Tensor<3>> for Memory {
    /// Memory without padding.
    fn from(hidden: Tensor<3>) -> Self {
        Self {
            hidden,
            padding: None,
        }
    }
}
