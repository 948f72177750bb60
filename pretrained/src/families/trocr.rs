use burn::tensor::Device;
use checkpoint::Layout;
use packed_linear::Format;
use serde_json::{Value, json};
use transformer_layers::ConfigError;
use trocr_decoder::{TrocrDecoder, TrocrDecoderConfig};

use super::family::{DecoderFamily, Family, with_decoder_keys};

impl Family for TrocrDecoderConfig {
    type Model = TrocrDecoder;

    const MODEL_TYPES: &'static [&'static str] = &["trocr"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = trocr_decoder::WEIGHTS;
    const PREFIXES: &'static [&'static str] = &["decoder."];
    const IGNORED: &'static [&'static str] = &[
        // The head, if it is tied to the token embeddings.
        "*output_projection.weight",
        // A buffer of old files, whose only use was to be on a device.
        "*embed_positions._float_tensor",
    ];
    const OWN_PREFIXES: &'static [&'static str] = &[""];
    const OWN_IGNORED: &'static [&'static str] =
        &["output_projection.weight", "*embed_positions._float_tensor"];
    #[rustfmt::skip]
    const KEPT_KEYS: &'static [&'static str] = &[
        "classifier_dropout",
        "bos_token_id", "decoder_start_token_id", "eos_token_id", "use_cache",
    ];

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        with_decoder_keys(json!(self))
    }

    fn further_weights(&self) -> &'static [(&'static str, &'static str, Layout)] {
        match self.tie_word_embeddings {
            true => trocr_decoder::TIED_WEIGHTS,
            false => &[],
        }
    }

    fn init(&self, format: Option<Format>, device: &Device) -> TrocrDecoder {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.d_model
    }
}

impl DecoderFamily for TrocrDecoderConfig {
    const EMBEDDINGS: &'static str = "embeddings.tokens.weight";
    const HEAD: &'static str = "head.weight";

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn set_vocab_size(&mut self, vocab_size: usize) {
        self.vocab_size = vocab_size;
    }

    fn layers(&self) -> usize {
        self.decoder_layers
    }

    fn max_positions(&self) -> usize {
        self.max_position_embeddings
    }

    fn memory_width(&self) -> usize {
        self.memory_width()
    }

    fn expected_encoder_width(&self) -> Option<usize> {
        self.cross_attention_hidden_size
    }

    fn has_tied_head(&self) -> bool {
        self.tie_word_embeddings
    }

    fn set_tied_head(&mut self, tied: bool) {
        self.tie_word_embeddings = tied;
    }
}
