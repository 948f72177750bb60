use burn::module::{Module, Param};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig};
use burn::tensor::{Bool, Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding};

use crate::embeddings::Embeddings;
use crate::head::score;
use crate::layer::DecoderLayer;
use crate::row_images::RowImages;
use crate::{DecoderState, MBartDecoderConfig, Shortlist};

/// mBART's decoder with cross-attention and its head; created by [`MBartDecoderConfig::init`].
///
/// Hugging Face: `MBartForCausalLM` with `add_cross_attention`. Reference: Tang et al.,
/// "Multilingual Translation with Extensible Multilingual Pretraining and Finetuning", 2020.
#[derive(Module, Debug)]
pub struct MBartDecoder {
    embeddings: Embeddings,
    layers: Vec<DecoderLayer>,
    norm: LayerNorm,
    /// `[vocabulary, width]`; without it the token embeddings are the head.
    head: Option<PackedEmbedding>,
    /// `[vocabulary]`
    logits_bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    vocab_size: usize,
    #[module(skip)]
    max_positions: usize,
}

impl MBartDecoder {
    pub(crate) fn new(
        config: &MBartDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let (vocabulary, width) = (config.vocab_size, config.d_model);
        let normal = Initializer::Normal {
            mean: 0.0,
            std: config.init_std,
        };
        Self {
            embeddings: Embeddings::new(config, format, device),
            layers: (0..config.decoder_layers)
                .map(|_| DecoderLayer::new(config, format, device))
                .collect(),
            norm: LayerNormConfig::new(width).init(device),
            head: (!config.tie_word_embeddings)
                .then(|| PackedEmbedding::new(vocabulary, width, &normal, format, device)),
            logits_bias: config
                .final_logits_bias
                .then(|| Initializer::Zeros.init([vocabulary], device)),
            vocab_size: vocabulary,
            max_positions: config.max_position_embeddings,
        }
    }

    /// Tokens that the head scores.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Longest sequence, in tokens.
    pub fn max_positions(&self) -> usize {
        self.max_positions
    }

    /// Begins decoding: projects the memory to keys and values, once per image.
    ///
    /// Row `r` will attend to image `row_images[r]`.
    ///
    /// # Shapes
    /// - memory: `[images, positions, width]`
    /// - memory padding: `[images, positions]`, true = ignore
    ///
    /// # Panics
    /// If `row_images` is empty or names an image that is not there.
    pub fn begin(
        &self,
        memory: Tensor<3>,
        memory_padding: Option<Tensor<2, Bool>>,
        row_images: &[usize],
    ) -> DecoderState {
        let device = memory.device();
        let [images, _, _] = memory.dims();
        let row_images = RowImages::new(row_images.to_vec(), images, &device);
        let layers = self
            .layers
            .iter()
            .map(|layer| layer.start(memory.clone()))
            .collect();
        DecoderState::new(layers, row_images, memory_padding, device)
    }

    /// Appends tokens to every row and returns the hidden states after the last layer norm.
    ///
    /// Padding may stand anywhere but should stand at the end of a row: positions are counted from
    /// the row's first token, padded or not, as in Hugging Face.
    ///
    /// # Shapes
    /// - tokens: `[rows, new]`
    /// - padding: `[rows, new]`, true = ignore
    /// - output: `[rows, new, width]`
    ///
    /// # Panics
    /// If the number of rows is not the state's, or the sequence grows beyond
    /// `max_position_embeddings`.
    pub fn forward(
        &self,
        tokens: Tensor<2, Int>,
        padding: Option<Tensor<2, Bool>>,
        state: &mut DecoderState,
    ) -> Tensor<3> {
        let [rows, new] = tokens.dims();
        assert_eq!(rows, state.rows(), "tokens and state differ in rows");
        let embedded = self.embeddings.forward(tokens, state.length());
        let masks = state.advance(new, padding);

        // Rank 2 between here and the end: every linear layer is then one matrix product over all
        // rows, which backends do not have to broadcast its weight for.
        let mut hidden = embedded.flatten::<2>(0, 1); // [rows · new, width]
        for (layer, layer_state) in self.layers.iter().zip(&mut state.layers) {
            hidden = layer.forward(hidden, &masks, &state.row_images, &state.slots, layer_state);
        }
        let hidden = self.norm.forward(hidden);
        let [_, width] = hidden.dims();
        hidden.reshape([rows, new, width])
    }

    /// Scores the vocabulary.
    ///
    /// # Shapes
    /// - hidden: `[rows, new, width]`
    /// - output: `[rows, new, vocabulary]`
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let bias = self.logits_bias.as_ref().map(Param::val);
        score(hidden, self.head_table(), bias)
    }

    /// A head that scores only these tokens, which must ascend; its rows are gathered here, once.
    ///
    /// # Panics
    /// If the tokens are not ascending and each there once, if there are none, or if one is not in
    /// the vocabulary.
    pub fn shortlist(&self, tokens: &[u32]) -> Shortlist {
        let bias = self.logits_bias.as_ref().map(Param::val);
        Shortlist::gather_from(tokens, self.head_table(), bias)
    }

    /// The head's own table or the tied one, `[vocabulary, width]`.
    fn head_table(&self) -> &PackedEmbedding {
        match &self.head {
            Some(head) => head,
            None => self.embeddings.token_table(),
        }
    }

    /// Row `i` goes on from what was row `parents[i]`: reorders, repeats or drops rows.
    ///
    /// # Panics
    /// If `parents` is empty or names a row that is not there.
    pub fn select_rows(&self, state: &mut DecoderState, parents: &[usize]) {
        state.select_rows(parents);
    }
}
