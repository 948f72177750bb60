use bert_decoder::{BertDecoder, BertDecoderConfig};
use burn::tensor::Device;
use checkpoint::Layout;
use packed_linear::Format;
use serde_json::{Value, json};
use transformer_layers::ConfigError;

use super::family::{DecoderFamily, Family, with_decoder_keys};

impl Family for BertDecoderConfig {
    type Model = BertDecoder;

    const MODEL_TYPES: &'static [&'static str] = &["bert"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = bert_decoder::BERT_WEIGHTS;
    const PREFIXES: &'static [&'static str] = &["decoder."];
    const IGNORED: &'static [&'static str] = &[
        // The head, if it is tied to the token embeddings, and the second name of its bias.
        "*cls.predictions.decoder.weight",
        "*cls.predictions.decoder.bias",
        "*cls.predictions.bias",
        "decoder.bert.pooler.*",
    ];
    // A model with its head. One without can't write.
    const OWN_PREFIXES: &'static [&'static str] = &[""];
    const OWN_IGNORED: &'static [&'static str] = &[
        "*embeddings.position_ids",
        "cls.predictions.decoder.weight",
        "cls.predictions.decoder.bias",
        "cls.predictions.bias",
        // What a classifier uses, and whether one sentence follows another.
        "bert.pooler.*",
        "cls.seq_relationship.*",
    ];
    #[rustfmt::skip]
    const KEPT_KEYS: &'static [&'static str] = &[
        "classifier_dropout", "bos_token_id", "eos_token_id", "use_cache",
    ];

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        written(self)
    }

    fn further_weights(&self) -> &'static [(&'static str, &'static str, Layout)] {
        match self.tie_word_embeddings {
            true => bert_decoder::BERT_TIED_WEIGHTS,
            false => bert_decoder::BERT_UNTIED_WEIGHTS,
        }
    }

    fn init(&self, format: Option<Format>, device: &Device) -> BertDecoder {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.hidden_size
    }
}

impl DecoderFamily for BertDecoderConfig {
    const EMBEDDINGS: &'static str = "embeddings.tokens.weight";
    const HEAD: &'static str = "head.weight";
    const BIAS: Option<&'static str> = Some("logits_bias");

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn set_vocab_size(&mut self, vocab_size: usize) {
        self.vocab_size = vocab_size;
    }

    fn layers(&self) -> usize {
        self.num_hidden_layers
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
}

/// The configuration that is saved.
pub(super) fn written(config: &BertDecoderConfig) -> Value {
    let mut config = json!(config);
    if let Value::Object(keys) = &mut config {
        // Transformers 5 does not know this key, which has only one value here.
        keys.remove("position_embedding_type");
    }
    with_decoder_keys(config)
}
