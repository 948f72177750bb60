use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding};
use transformer_layers::{
    DecoderLayer, DecoderLayers, DecoderState, Head, HeadTransform, Shortlist,
};
use vision_encoder_decoder::{Decoder, Memory};

use crate::embeddings::Embeddings;
use crate::layer::layer;
use crate::variant::Variant;
use crate::{BertDecoderConfig, RobertaDecoderConfig};

/// BERT or RoBERTa as a decoder with cross-attention, and its head; created by [`BertDecoderConfig::init`] or
/// [`RobertaDecoderConfig::init`].
///
/// Hugging Face: `BertLMHeadModel` and `RobertaForCausalLM` with `is_decoder` and `add_cross_attention`. References:
/// Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2018; Liu et al., "RoBERTa", 2019; Rothe et al.,
/// "Leveraging Pre-trained Checkpoints for Sequence Generation Tasks", 2020, which made decoders of them.
#[derive(Module, Debug)]
pub struct BertDecoder {
    embeddings: Embeddings,
    layers: Vec<DecoderLayer>,
    head_transform: HeadTransform,
    /// `[vocabulary, width]`. Without it, the head uses the token embeddings.
    head: Option<PackedEmbedding>,
    /// `[vocabulary]`
    logits_bias: Param<Tensor<1>>,
    #[module(skip)]
    vocab_size: usize,
    #[module(skip)]
    max_positions: usize,
}

impl BertDecoderConfig {
    /// Creates the decoder with fresh weights. They are allocated when they are first used, so
    /// loading a checkpoint into the decoder costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> BertDecoder {
        self.init_with(None, device)
    }

    /// Creates the decoder with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> BertDecoder {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> BertDecoder {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let longest = self.max_position_embeddings;
        BertDecoder::new(self, Variant::Bert, longest, format, device)
    }
}

impl RobertaDecoderConfig {
    /// Creates the decoder with fresh weights. They are allocated when they are first used, so
    /// loading a checkpoint into the decoder costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> BertDecoder {
        self.init_with(None, device)
    }

    /// Creates the decoder with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> BertDecoder {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> BertDecoder {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let longest = self.max_positions();
        BertDecoder::new(&self.0, Variant::Roberta, longest, format, device)
    }
}

impl BertDecoder {
    fn new(
        config: &BertDecoderConfig,
        variant: Variant,
        max_positions: usize,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let (vocabulary, width) = (config.vocab_size, config.hidden_size);
        let std = config.initializer_range;
        let normal = Initializer::Normal { mean: 0.0, std };
        Self {
            embeddings: Embeddings::new(config, variant, format, device),
            layers: (0..config.num_hidden_layers)
                .map(|_| layer(config).init(format, device))
                .collect(),
            head_transform: HeadTransform::new(
                width,
                variant.head_activation(config),
                std,
                config.layer_norm_eps,
                format,
                device,
            ),
            head: (!config.tie_word_embeddings)
                .then(|| PackedEmbedding::new(vocabulary, width, &normal, format, device)),
            logits_bias: Initializer::Zeros.init([vocabulary], device),
            vocab_size: vocabulary,
            max_positions,
        }
    }

    fn layers(&self) -> DecoderLayers<'_> {
        DecoderLayers {
            layers: &self.layers,
            layer_drop: 0.0,
        }
    }

    /// The head after its transform, with its separate table or that of the token embeddings.
    fn head(&self) -> Head<'_> {
        Head {
            table: match &self.head {
                Some(table) => table,
                None => self.embeddings.token_table(),
            },
            bias: Some(self.logits_bias.val()),
        }
    }
}

impl Decoder for BertDecoder {
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

    /// Appends tokens to every row and returns the hidden states after the last layer.
    ///
    /// Padding may be anywhere in a row, but should be at its end. BERT counts positions from the first token of the row,
    /// including padding. RoBERTa leaves out the padding tokens of the same call, as Hugging Face's does: there, a text
    /// with padding tokens in it gets other positions token by token than as a whole.
    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        let embedded = self.embeddings.forward(tokens, state.cohorts());
        self.layers().forward(embedded, padding, state)
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        self.head().logits(self.head_transform.forward(hidden))
    }

    fn shortlist(&self, tokens: &[u32]) -> Option<Shortlist> {
        let shortlist = self.head().shortlist(tokens);
        Some(shortlist.after(self.head_transform.clone()))
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
        check::<BertDecoder>();
    }
}
