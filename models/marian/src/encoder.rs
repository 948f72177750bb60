use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Bool, Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding};
use vision_encoder_decoder::{Encoder, Memory};

use crate::embeddings::{embed, table};
use crate::encoder_layer::EncoderLayer;
use crate::positions::positions;
use crate::{MarianConfig, MarianDecoder};

/// Marian's encoder: token ids to one vector for each.
///
/// If both languages share a table of token embeddings, it is a parameter of the decoder, so that it is loaded, saved
/// and counted once. The encoder then has a copy of the handle, not of the values, which
/// [`share_embeddings`](Self::share_embeddings) gives it.
///
/// Hugging Face: `MarianEncoder`.
#[derive(Module, Debug)]
pub struct MarianEncoder {
    /// `[vocabulary, width]`, if it is not shared.
    embeddings: Option<PackedEmbedding>,
    layers: Vec<EncoderLayer>,
    dropout: Dropout,
    #[module(skip)]
    shared_embeddings: Option<PackedEmbedding>,
    #[module(skip)]
    scale: f64,
    #[module(skip)]
    width: usize,
    #[module(skip)]
    max_positions: usize,
}

/// Texts as token ids: the input of [`MarianEncoder`].
#[derive(Clone, Debug)]
pub struct SourceTokens {
    /// `[texts, positions]`
    pub ids: Tensor<2, Int>,
    /// `[texts, positions]`, true = ignore. Without padding, attention is faster.
    pub padding: Option<Tensor<2, Bool>>,
}

impl SourceTokens {
    /// Texts of equal lengths.
    ///
    /// # Shapes
    /// - ids: `[texts, positions]`
    pub fn new(ids: Tensor<2, Int>) -> Self {
        Self { ids, padding: None }
    }

    /// Marks the padding of texts that are shorter than others.
    ///
    /// # Shapes
    /// - padding: `[texts, positions]`, true = ignore
    pub fn with_padding(mut self, padding: Tensor<2, Bool>) -> Self {
        self.padding = Some(padding);
        self
    }
}

impl MarianEncoder {
    pub(crate) fn new(config: &MarianConfig, format: Option<Format>, device: &Device) -> Self {
        Self {
            embeddings: (!config.share_encoder_decoder_embeddings)
                .then(|| table(config, config.vocab_size, format, device)),
            layers: (0..config.encoder_layers)
                .map(|_| EncoderLayer::new(config, format, device))
                .collect(),
            dropout: DropoutConfig::new(config.dropout).init(),
            shared_embeddings: None,
            scale: config.embedding_scale(),
            width: config.d_model,
            max_positions: config.max_position_embeddings,
        }
    }

    /// Takes the table of token embeddings from the decoder if both share one. Call this again whenever the decoder's
    /// parameters were replaced: after loading, after moving the model to another device, and after an update in
    /// training.
    pub fn share_embeddings(&mut self, decoder: &MarianDecoder) {
        if self.embeddings.is_none() {
            self.shared_embeddings = Some(decoder.embeddings().clone());
        }
    }

    /// Longest text, in tokens.
    pub fn max_positions(&self) -> usize {
        self.max_positions
    }

    fn embeddings(&self) -> &PackedEmbedding {
        match (&self.embeddings, &self.shared_embeddings) {
            (Some(own), _) => own,
            (None, Some(shared)) => shared,
            (None, None) => panic!("share_embeddings was not called"),
        }
    }
}

impl Encoder for MarianEncoder {
    type Input = SourceTokens;

    /// Encodes texts. Positions are counted from the first token of each text; padding should be at the end.
    ///
    /// # Panics
    /// If the texts are longer than [`max_positions`](MarianEncoder::max_positions), or an id is not in the vocabulary.
    fn encode(&self, input: SourceTokens) -> Memory {
        let SourceTokens { ids, padding } = input;
        let [_, length] = ids.dims();
        assert!(
            length <= self.max_positions,
            "{length} tokens exceed max_position_embeddings {}",
            self.max_positions
        );
        let positions = positions(0, length, self.width, &ids.device()).unsqueeze();
        let embedded = embed(self.embeddings(), self.scale, ids, positions);
        let hidden = self.layers.iter().fold(
            self.dropout.forward(embedded), // [texts, positions, width]
            |hidden, layer| layer.forward(hidden, padding.as_ref()),
        );
        Memory { hidden, padding }
    }
}
