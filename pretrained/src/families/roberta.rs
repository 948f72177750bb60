use bert_decoder::{BertDecoder, RobertaDecoderConfig};
use burn::tensor::Device;
use checkpoint::Layout;
use packed_linear::Format;
use serde_json::Value;
use transformer_layers::ConfigError;

use super::bert::written;
use super::family::{DecoderFamily, Family};

impl Family for RobertaDecoderConfig {
    type Model = BertDecoder;

    // The latter two are RoBERTa with other weights, and keep their names.
    const MODEL_TYPES: &'static [&'static str] = &["roberta", "xlm-roberta", "camembert"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = bert_decoder::ROBERTA_WEIGHTS;
    const PREFIXES: &'static [&'static str] = &["decoder."];
    const IGNORED: &'static [&'static str] = &[
        // The head, if it is tied to the token embeddings, and the second name of its bias.
        "*lm_head.decoder.weight",
        "*lm_head.decoder.bias",
        "*lm_head.bias",
        "decoder.roberta.pooler.*",
    ];
    // A model with its head. One without can't write.
    const OWN_PREFIXES: &'static [&'static str] = &[""];
    const OWN_IGNORED: &'static [&'static str] = &[
        "*embeddings.position_ids",
        "lm_head.decoder.weight",
        "lm_head.decoder.bias",
        "lm_head.bias",
        // What a classifier uses.
        "roberta.pooler.*",
    ];
    #[rustfmt::skip]
    const KEPT_KEYS: &'static [&'static str] = &[
        "model_type",
        "classifier_dropout", "bos_token_id", "eos_token_id", "use_cache",
    ];

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        written(&self.0)
    }

    fn further_weights(&self) -> &'static [(&'static str, &'static str, Layout)] {
        match self.0.tie_word_embeddings {
            true => bert_decoder::ROBERTA_TIED_WEIGHTS,
            false => bert_decoder::ROBERTA_UNTIED_WEIGHTS,
        }
    }

    fn init(&self, format: Option<Format>, device: &Device) -> BertDecoder {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.0.hidden_size
    }
}

impl DecoderFamily for RobertaDecoderConfig {
    const EMBEDDINGS: &'static str = "embeddings.tokens.weight";
    const HEAD: &'static str = "head.weight";
    const BIAS: Option<&'static str> = Some("logits_bias");

    fn vocab_size(&self) -> usize {
        self.0.vocab_size
    }

    fn set_vocab_size(&mut self, vocab_size: usize) {
        self.0.vocab_size = vocab_size;
    }

    fn layers(&self) -> usize {
        self.0.num_hidden_layers
    }

    fn max_positions(&self) -> usize {
        self.max_positions()
    }

    fn has_tied_head(&self) -> bool {
        self.0.tie_word_embeddings
    }

    fn set_tied_head(&mut self, tied: bool) {
        self.0.tie_word_embeddings = tied;
    }
}
