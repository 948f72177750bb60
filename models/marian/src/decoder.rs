use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Bool, Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding};
use transformer_layers::{
    DecoderLayer, DecoderLayers, DecoderState, Head, Shortlist, positions_of_cohorts,
};
use vision_encoder_decoder::{Decoder, Memory};

use crate::MarianConfig;
use crate::decoder_layer::decoder_layer;
use crate::embeddings::{embed, table};
use crate::positions::positions;

/// Marian's decoder and its head.
///
/// Hugging Face: `MarianDecoder`, and `lm_head` and `final_logits_bias` of `MarianMTModel`.
#[derive(Module, Debug)]
pub struct MarianDecoder {
    /// `[vocabulary, width]`; also the encoder's, if both share one.
    embeddings: PackedEmbedding,
    layers: Vec<DecoderLayer>,
    /// `[vocabulary, width]`. Without it, the head uses the token embeddings.
    head: Option<PackedEmbedding>,
    /// `[1, vocabulary]`, the shape that it has in checkpoints.
    logits_bias: Option<Param<Tensor<2>>>,
    dropout: Dropout,
    #[module(skip)]
    scale: f64,
    #[module(skip)]
    width: usize,
    #[module(skip)]
    vocab_size: usize,
    #[module(skip)]
    max_positions: usize,
}

impl MarianDecoder {
    pub(crate) fn new(config: &MarianConfig, format: Option<Format>, device: &Device) -> Self {
        let vocab_size = config.target_vocab_size();
        let table = || table(config, vocab_size, format, device);
        Self {
            embeddings: table(),
            layers: (0..config.decoder_layers)
                .map(|_| decoder_layer(config).init(format, device))
                .collect(),
            head: (!config.tie_word_embeddings).then(table),
            logits_bias: config
                .final_logits_bias
                .then(|| Initializer::Zeros.init([1, vocab_size], device)),
            dropout: DropoutConfig::new(config.dropout).init(),
            scale: config.embedding_scale(),
            width: config.d_model,
            vocab_size,
            max_positions: config.max_position_embeddings,
        }
    }

    /// The table of token embeddings, `[vocabulary, width]`.
    pub(crate) fn embeddings(&self) -> &PackedEmbedding {
        &self.embeddings
    }

    /// The positions of `new` tokens of rows that begin at `start`, `[1, new, width]`.
    fn positions(&self, start: usize, new: usize, device: &Device) -> Tensor<3> {
        let end = start + new;
        assert!(
            end <= self.max_positions,
            "{end} tokens exceed max_position_embeddings {}",
            self.max_positions
        );
        positions(start, new, self.width, device).unsqueeze()
    }

    fn layers(&self) -> DecoderLayers<'_> {
        DecoderLayers {
            layers: &self.layers,
            layer_drop: 0.0,
        }
    }

    /// The head, with its own table or that of the token embeddings.
    fn head(&self) -> Head<'_> {
        Head {
            table: self.head.as_ref().unwrap_or(&self.embeddings),
            bias: self
                .logits_bias
                .as_ref()
                .map(|bias| bias.val().squeeze_dim(0)), // [vocabulary]
        }
    }
}

impl Decoder for MarianDecoder {
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

    /// Appends tokens to every row and returns the hidden states of the last layer.
    ///
    /// Padding may be anywhere in a row, but should be at its end: as in Hugging Face, positions are counted from the
    /// first token of the row, including padding.
    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        let ([_, new], device) = (tokens.dims(), tokens.device());
        let of_cohort = |start| self.positions(start, new, &device);
        let positions = positions_of_cohorts(state.cohorts(), of_cohort);
        let embedded = embed(&self.embeddings, self.scale, tokens, positions);
        let hidden = self.dropout.forward(embedded);
        self.layers().forward(hidden, padding, state)
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
