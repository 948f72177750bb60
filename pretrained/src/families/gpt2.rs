use burn::tensor::Device;
use checkpoint::Layout;
use gpt2_decoder::{Gpt2Decoder, Gpt2DecoderConfig};
use packed_linear::Format;
use serde_json::{Value, json};
use transformer_layers::ConfigError;

use super::family::{DecoderFamily, Family, with_decoder_keys};

impl Family for Gpt2DecoderConfig {
    type Model = Gpt2Decoder;

    const MODEL_TYPES: &'static [&'static str] = &["gpt2"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = gpt2_decoder::WEIGHTS;
    const PREFIXES: &'static [&'static str] = &["decoder."];
    const IGNORED: &'static [&'static str] = &[
        // The causal mask and what it hid scores with, buffers of old files.
        "*.attn.bias",
        "*.attn.masked_bias",
        "*.crossattention.bias",
        "*.crossattention.masked_bias",
    ];
    // A model with its head, then one without.
    const OWN_PREFIXES: &'static [&'static str] = &["", "-transformer."];
    const OWN_IGNORED: &'static [&'static str] = &[
        "*.attn.bias",
        "*.attn.masked_bias",
        "*.crossattention.bias",
        "*.crossattention.masked_bias",
        "lm_head.weight",
    ];
    #[rustfmt::skip]
    const KEPT_KEYS: &'static [&'static str] = &[
        "reorder_and_upcast_attn",
        "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
        "bos_token_id", "eos_token_id", "pad_token_id", "use_cache",
    ];

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        with_decoder_keys(json!(self))
    }

    fn further_weights(&self) -> &'static [(&'static str, &'static str, Layout)] {
        match self.tie_word_embeddings {
            true => gpt2_decoder::TIED_WEIGHTS,
            false => &[],
        }
    }

    fn init(&self, format: Option<Format>, device: &Device) -> Gpt2Decoder {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.n_embd
    }
}

impl DecoderFamily for Gpt2DecoderConfig {
    const EMBEDDINGS: &'static str = "embeddings.tokens.weight";
    const HEAD: &'static str = "head.weight";

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn set_vocab_size(&mut self, vocab_size: usize) {
        self.vocab_size = vocab_size;
    }

    fn layers(&self) -> usize {
        self.n_layer
    }

    fn max_positions(&self) -> usize {
        self.n_positions
    }

    fn has_tied_head(&self) -> bool {
        self.tie_word_embeddings
    }

    fn set_tied_head(&mut self, tied: bool) {
        self.tie_word_embeddings = tied;
    }
}
