//! Classification as a preparation of an encoder: it learns what things look like before a decoder is taught to write
//! about them.

mod classes;
#[cfg(feature = "pretrained")]
mod files;

use burn::module::{Initializer, Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Int, Tensor};
use vision_encoder_decoder::{Decoder, Memory};

pub use classes::Classes;
#[cfg(feature = "pretrained")]
pub use files::{CLASSES, CLASSIFIER, ClassifierFiles};

/// Names what is in an image, one label after the other, each independently of those before.
///
/// For each place in the list of labels it has a query that attends to the memory of the encoder, as the attention
/// pooling of CoCa does (Yu et al. 2022, arXiv 2205.01917), and one linear layer scores the classes. At first all queries
/// are nearly zero, which gives the mean of the memory. So any [`Encoder`](vision_encoder_decoder::Encoder) can be
/// prepared with the trainer, the objective and the checkpoints that captioners have, and an image may have several
/// labels, such as its background and the things in it from left to right. Few parameters stand between labels and
/// encoder, so it learns much faster than through a text decoder.
///
/// Labels are tokens of [`Classes`]; a row of labels ends with [`Classes::END`].
#[derive(Module, Debug)]
pub struct Classifier {
    norm: LayerNorm,
    /// `[places, width]`
    queries: Param<Tensor<2>>,
    pooled_norm: LayerNorm,
    head: Linear,
}

/// What a [`Classifier`] knows of the images while it names their labels.
#[derive(Clone, Debug)]
pub struct Pooled {
    /// `[rows, places, width]`
    hidden: Tensor<3>,
    /// The next place.
    place: usize,
}

impl Classifier {
    /// A fresh classifier of an encoder's memory of this width, for at most this many labels of an image.
    pub fn new(width: usize, classes: &Classes, device: &Device) -> Self {
        let nearly_zero = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        Self {
            norm: LayerNormConfig::new(width).init(device),
            queries: nearly_zero.init([classes.max_labels() + 1, width], device),
            pooled_norm: LayerNormConfig::new(width).init(device),
            head: LinearConfig::new(width, classes.vocab_size()).init(device),
        }
    }
}

impl Decoder for Classifier {
    type State = Pooled;

    fn vocab_size(&self) -> usize {
        let [_, classes] = self.head.weight.shape().dims();
        classes
    }

    /// The labels of an image and their end.
    fn max_positions(&self) -> Option<usize> {
        let [places, _] = self.queries.shape().dims();
        Some(places)
    }

    fn start(&self, memory: Memory, row_sources: &[usize]) -> Pooled {
        let hidden = self.norm.forward(memory.hidden); // [sources, positions, width]
        let [sources, positions, width] = hidden.dims();
        let queries = self.queries.val().transpose() / (width as f64).sqrt(); // [width, places]
        let [_, places] = queries.dims();
        let scores = hidden
            .clone()
            .reshape([sources * positions, width])
            .matmul(queries)
            .reshape([sources, positions, places])
            .swap_dims(1, 2); // [sources, places, positions]
        let scores = match memory.padding {
            Some(padding) => {
                let padding = padding.unsqueeze_dim::<3>(1).repeat_dim(1, places);
                scores.mask_fill(padding, f32::NEG_INFINITY)
            }
            None => scores,
        };
        let pooled = softmax(scores, 2).matmul(hidden); // [sources, places, width]
        Pooled {
            hidden: rows(self.pooled_norm.forward(pooled), row_sources),
            place: 0,
        }
    }

    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        _padding: Option<Tensor<2, Bool>>,
        state: &mut Pooled,
    ) -> Tensor<3> {
        let [_, new] = tokens.dims();
        let places = state.hidden.clone().narrow(1, state.place, new);
        state.place += new;
        places
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.head.forward(hidden)
    }

    fn select_rows(&self, state: &mut Pooled, parents: &[usize]) {
        state.hidden = rows(state.hidden.clone(), parents);
    }
}

/// These rows of a tensor, in this order.
fn rows(tensor: Tensor<3>, rows: &[usize]) -> Tensor<3> {
    let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
    let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &tensor.device());
    tensor.select(0, rows)
}
