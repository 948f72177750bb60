use burn::tensor::Device;
use checkpoint::Layout;
use mbart50_decoder::{MBartDecoder, MBartDecoderConfig};
use packed_linear::Format;
use serde_json::{Value, json};
use transformer_layers::ConfigError;

use super::family::{DecoderFamily, Family, with_decoder_keys};

impl Family for MBartDecoderConfig {
    type Model = MBartDecoder;

    const MODEL_TYPES: &'static [&'static str] = &["mbart"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = mbart50_decoder::WEIGHTS;
    // That of transformers, then that of the published model.
    const PREFIXES: &'static [&'static str] = &["decoder.", ""];
    // A whole mBART with its head, then one without.
    const OWN_PREFIXES: &'static [&'static str] = &["", "-model."];
    const OWN_IGNORED: &'static [&'static str] = &[
        "model.encoder.*",
        "encoder.*",
        "*shared.weight",
        "lm_head.weight",
        // The bias of the translation model, which a decoder that attends to images does not use.
        "final_logits_bias",
    ];
    #[rustfmt::skip]
    const KEPT_KEYS: &'static [&'static str] = &[
        "classifier_dropout",
        "encoder_attention_heads", "encoder_ffn_dim", "encoder_layerdrop",
        "bos_token_id", "decoder_start_token_id", "eos_token_id", "use_cache",
    ];

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        let mut config = json!(self);
        if let Value::Object(keys) = &mut config {
            keys.remove("final_logits_bias"); // the weights show whether it exists
        }
        config["is_encoder_decoder"] = json!(false);
        // There is no encoder, but transformers 5 reads the number of cached layers here.
        config["encoder_layers"] = json!(self.decoder_layers);
        with_decoder_keys(config)
    }

    fn further_weights(&self) -> &'static [(&'static str, &'static str, Layout)] {
        match self.tie_word_embeddings {
            true => mbart50_decoder::TIED_WEIGHTS,
            false => &[],
        }
    }

    fn init(&self, format: Option<Format>, device: &Device) -> MBartDecoder {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.d_model
    }
}

impl DecoderFamily for MBartDecoderConfig {
    const EMBEDDINGS: &'static str = "embeddings.tokens.weight";
    const HEAD: &'static str = "head.weight";
    const BIAS: Option<&'static str> = Some("logits_bias");
    const OPTIONAL: Option<&'static str> = Some("logits_bias");

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

    fn has_tied_head(&self) -> bool {
        self.tie_word_embeddings
    }

    fn set_tied_head(&mut self, tied: bool) {
        self.tie_word_embeddings = tied;
    }

    fn set_optional(&mut self, exists: bool) {
        self.final_logits_bias = exists;
    }

    fn unknown_to_transformers(&self) -> Option<&'static str> {
        let bias = "the bias of the logits (final_logits_bias)";
        self.final_logits_bias.then_some(bias)
    }
}
