use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig};
use burn::tensor::{Bool, Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding, apply_norm};
use transformer_layers::{DecoderLayer, DecoderLayers, DecoderState, Head, Shortlist};
use vision_encoder_decoder::{Decoder, Memory};

use crate::MBartDecoderConfig;
use crate::embeddings::Embeddings;
use crate::layer::{NORM_EPSILON, layer};

/// mBART's decoder with cross-attention and its head; created by [`MBartDecoderConfig::init`].
///
/// Hugging Face: `MBartForCausalLM` with `add_cross_attention`. Reference: Tang et al.,
/// "Multilingual Translation with Extensible Multilingual Pretraining and Finetuning", 2020.
#[derive(Module, Debug)]
pub struct MBartDecoder {
    embeddings: Embeddings,
    layers: Vec<DecoderLayer>,
    norm: LayerNorm,
    /// `[vocabulary, width]`. Without it, the head uses the token embeddings.
    head: Option<PackedEmbedding>,
    /// `[vocabulary]`
    logits_bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    vocab_size: usize,
    #[module(skip)]
    max_positions: usize,
    #[module(skip)]
    layer_drop: f64,
}

impl MBartDecoderConfig {
    /// Creates the decoder with fresh weights. They are allocated when they are first used, so
    /// loading a checkpoint into the decoder costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> MBartDecoder {
        self.init_with(None, device)
    }

    /// Creates the decoder with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> MBartDecoder {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> MBartDecoder {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        MBartDecoder::new(self, format, device)
    }
}

impl MBartDecoder {
    fn new(config: &MBartDecoderConfig, format: Option<Format>, device: &Device) -> Self {
        let (vocabulary, width) = (config.vocab_size, config.d_model);
        let normal = Initializer::Normal {
            mean: 0.0,
            std: config.init_std,
        };
        Self {
            embeddings: Embeddings::new(config, format, device),
            layers: (0..config.decoder_layers)
                .map(|_| layer(config).init(format, device))
                .collect(),
            norm: LayerNormConfig::new(width)
                .with_epsilon(NORM_EPSILON)
                .init(device),
            head: (!config.tie_word_embeddings)
                .then(|| PackedEmbedding::new(vocabulary, width, &normal, format, device)),
            logits_bias: config
                .final_logits_bias
                .then(|| Initializer::Zeros.init([vocabulary], device)),
            vocab_size: vocabulary,
            max_positions: config.max_position_embeddings,
            layer_drop: config.decoder_layerdrop,
        }
    }

    fn layers(&self) -> DecoderLayers<'_> {
        DecoderLayers {
            layers: &self.layers,
            layer_drop: self.layer_drop,
        }
    }

    /// The head, with its separate table or that of the token embeddings.
    fn head(&self) -> Head<'_> {
        Head {
            table: match &self.head {
                Some(table) => table,
                None => self.embeddings.token_table(),
            },
            bias: self.logits_bias.as_ref().map(Param::val),
        }
    }
}

impl Decoder for MBartDecoder {
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
    /// Padding may be anywhere in a row, but should be at its end: as in Hugging Face, positions are counted
    /// from the first token of the row, including padding.
    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        let embedded = self.embeddings.forward(tokens, state.cohorts());
        let hidden = self.layers().forward(embedded, padding, state);
        apply_norm(&self.norm, NORM_EPSILON, hidden)
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
        check::<MBartDecoder>();
    }
}
