use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Int, Tensor};
use packed_linear::{Format, LayerNorm, PackedEmbedding};
use transformer_layers::{DecoderLayer, DecoderLayers, DecoderState, Head, Shortlist};
use vision_encoder_decoder::{Decoder, Memory};

use crate::Gpt2DecoderConfig;
use crate::embeddings::Embeddings;
use crate::layer::layer;

/// GPT-2 with cross-attention and its head; created by [`Gpt2DecoderConfig::init`].
///
/// Hugging Face: `GPT2LMHeadModel` with `add_cross_attention`. Reference: Radford et al., "Language Models are
/// Unsupervised Multitask Learners", 2019.
#[derive(Module, Debug)]
pub struct Gpt2Decoder {
    embeddings: Embeddings,
    layers: Vec<DecoderLayer>,
    norm: LayerNorm,
    /// `[vocabulary, width]`. Without it, the head uses the token embeddings.
    head: Option<PackedEmbedding>,
    #[module(skip)]
    vocab_size: usize,
    #[module(skip)]
    max_positions: usize,
}

impl Gpt2DecoderConfig {
    /// Creates the decoder with fresh weights. They are allocated when they are first used, so
    /// loading a checkpoint into the decoder costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> Gpt2Decoder {
        self.init_with(None, device)
    }

    /// Creates the decoder with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> Gpt2Decoder {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> Gpt2Decoder {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let (vocabulary, width) = (self.vocab_size, self.n_embd);
        let normal = Initializer::Normal {
            mean: 0.0,
            std: self.initializer_range,
        };
        Gpt2Decoder {
            embeddings: Embeddings::new(self, format, device),
            layers: (0..self.n_layer)
                .map(|index| layer(self, index).init(format, device))
                .collect(),
            norm: LayerNorm::new(width, self.layer_norm_epsilon, device),
            head: (!self.tie_word_embeddings)
                .then(|| PackedEmbedding::new(vocabulary, width, &normal, format, device)),
            vocab_size: vocabulary,
            max_positions: self.n_positions,
        }
    }
}

impl Gpt2Decoder {
    fn layers(&self) -> DecoderLayers<'_> {
        DecoderLayers {
            layers: &self.layers,
            layer_drop: 0.0,
        }
    }

    /// The head, with its separate table or that of the token embeddings.
    fn head(&self) -> Head<'_> {
        Head {
            table: match &self.head {
                Some(table) => table,
                None => self.embeddings.token_table(),
            },
            bias: None,
        }
    }
}

impl Decoder for Gpt2Decoder {
    type State = DecoderState;

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn max_positions(&self) -> Option<usize> {
        Some(self.max_positions)
    }

    fn start(&self, memory: Memory, row_sources: &[usize]) -> DecoderState {
        let Memory { hidden, padding } = memory;
        self.layers().start(hidden, padding, row_sources)
    }

    /// Appends tokens to every row and returns the hidden states after the last layer norm.
    ///
    /// Padding may be anywhere in a row, but should be at its end: positions are counted from the first token of the row,
    /// including padding.
    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        let embedded = self.embeddings.forward(tokens, state.cohorts());
        let hidden = self.layers().forward(embedded, padding, state);
        self.norm.forward(hidden)
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.head().logits(hidden)
    }

    fn shortlist(&self, tokens: &[u32]) -> Option<Shortlist> {
        Some(self.head().shortlist(tokens))
    }

    fn select_rows(&self, state: &mut DecoderState, parents: &[usize]) {
        state.select_rows(parents);
    }

    fn can_join(&self, state: &DecoderState, other: &DecoderState) -> bool {
        state.can_join(other)
    }

    fn join(&self, state: &mut DecoderState, other: DecoderState) {
        state.join(other);
    }

    fn record_attention(&self, state: &mut DecoderState) {
        state.record_attention();
    }

    fn recorded_attention(&self, state: &DecoderState) -> Option<Vec<Tensor<3>>> {
        state.recorded_attention()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<Gpt2Decoder>();
    }
}
