use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Bool, Int, Tensor};

use crate::Shortlist;

/// What a decoder attends to: an encoder's output.
#[derive(Clone, Debug)]
pub struct Memory {
    /// `[images, positions, width]`
    pub hidden: Tensor<3>,
    /// `[images, positions]`, true = ignore.
    pub padding: Option<Tensor<2, Bool>>,
}

/// Turns images into something to attend to.
pub trait Encoder: Module + ModuleDisplay {
    /// A batch of images, in whatever form the encoder takes them.
    type Input;

    /// One memory entry per image, in their order.
    fn encode(&self, input: Self::Input) -> Memory;
}

/// Writes text, attending to memory.
///
/// A decoder holds no decoding state. A row is one text under construction; the state of all rows
/// is a value that the caller owns.
pub trait Decoder: Module + ModuleDisplay {
    /// What is remembered between calls.
    type State;

    /// Tokens that [`logits`](Self::logits) scores.
    fn vocab_size(&self) -> usize;

    /// Longest text, in tokens, if there is a limit.
    fn max_positions(&self) -> Option<usize> {
        None
    }

    /// Begins. Row `r` will look at image `row_images[r]`; what is computed of the memory is
    /// computed here, once per image, however many rows look at it. [`RowImages`](crate::RowImages)
    /// keeps track of who looks at what.
    fn start(&self, memory: Memory, row_images: &[usize]) -> Self::State;

    /// Appends tokens to every row and returns their hidden states. No later token sees a padded
    /// one, and the hidden state that is returned at padding means nothing.
    ///
    /// # Shapes
    /// - tokens: `[rows, new]`
    /// - padding: `[rows, new]`, true = ignore
    /// - output: `[rows, new, width]`
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

    /// A head that scores only these tokens, which ascend, each there once. `None` if the decoder
    /// has no such head: all tokens are then scored.
    ///
    /// # Panics
    /// If the tokens are not so, or one is not in the vocabulary.
    fn shortlist(&self, _tokens: &[u32]) -> Option<Shortlist> {
        None
    }

    /// Row `i` goes on from what was row `parents[i]`: reorders, repeats or drops rows.
    fn select_rows(&self, state: &mut Self::State, parents: &[usize]);

    /// From now on the state keeps what its rows attend to in the memory. A state that is never
    /// told so keeps nothing and costs nothing more; a decoder that can't record ignores the call.
    fn record_attention(&self, _state: &mut Self::State) {}

    /// The cross-attention weights that were recorded, averaged over heads: one tensor per layer,
    /// the first layer first. The weights of one token are shares: they sum to 1 over positions.
    /// `None` if nothing was recorded.
    ///
    /// # Shapes
    /// - output: `[rows, tokens fed since recording began, positions]`
    fn recorded_attention(&self, _state: &Self::State) -> Option<Vec<Tensor<3>>> {
        None
    }
}

impl From<Tensor<3>> for Memory {
    /// Memory of which nothing is to be ignored.
    fn from(hidden: Tensor<3>) -> Self {
        Self {
            hidden,
            padding: None,
        }
    }
}
