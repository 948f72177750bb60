use generation::GenerationConfig;
use serde_json::{Map, Value, json};

use super::VisionEncoderDecoderConfig;
use crate::checkpoint::Precision;

/// What the two parts of a file say of training and of their other halves. Nothing here changes what
/// is computed, but whoever trains the saved model in Python expects it back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TrainingKeys {
    encoder: Map<String, Value>,
    decoder: Map<String, Value>,
}

const ENCODER_KEYS: &[&str] = &["attention_dropout", "projection_dim"];

#[rustfmt::skip]
const DECODER_KEYS: &[&str] = &[
    "activation_dropout", "attention_dropout", "classifier_dropout", "decoder_layerdrop", "dropout",
    "encoder_attention_heads", "encoder_ffn_dim", "encoder_layerdrop",
    "bos_token_id", "decoder_start_token_id", "eos_token_id", "pad_token_id", "use_cache",
];

impl TrainingKeys {
    /// Those of an encoder's and a decoder's configuration.
    pub(super) fn of(encoder: &Value, decoder: &Value) -> Self {
        // A whole CLIP's configuration has that of the vision half inside.
        let encoder = encoder.get("vision_config").unwrap_or(encoder);
        Self {
            encoder: kept(encoder, ENCODER_KEYS),
            decoder: kept(decoder, DECODER_KEYS),
        }
    }
}

fn kept(config: &Value, keys: &[&str]) -> Map<String, Value> {
    let known = keys.iter().filter_map(|key| {
        let value = config.get(key).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    });
    known.collect()
}

impl VisionEncoderDecoderConfig {
    /// The `config.json` of a Hugging Face `VisionEncoderDecoderModel` whose weights are stored at
    /// `precision`.
    pub fn to_json(&self, generation_config: &GenerationConfig, precision: Precision) -> String {
        let mut encoder = self.training.encoder.clone();
        extend(&mut encoder, json!(self.encoder));
        extend(&mut encoder, json!({"model_type": "clip_vision_model"}));

        let mut decoder = self.training.decoder.clone();
        extend(&mut decoder, json!(self.decoder));
        let role = json!({
            "model_type": "mbart",
            "is_decoder": true,
            "add_cross_attention": true,
            "is_encoder_decoder": false,
            // There is no encoder, but transformers 5 takes the number of cached layers from here.
            "encoder_layers": self.decoder.decoder_layers,
        });
        extend(&mut decoder, role);
        decoder.remove("final_logits_bias"); // loaders find out by themselves

        let mut config = json!({
            "architectures": ["VisionEncoderDecoderModel"],
            "model_type": "vision-encoder-decoder",
            "is_encoder_decoder": true,
            // That would tie the encoder to the decoder; the decoder says for itself.
            "tie_word_embeddings": false,
            "dtype": precision.torch_name(),
            "encoder": encoder,
            "decoder": decoder,
        });
        // Training with transformers reads these here.
        let options = json!(generation_config);
        for name in ["decoder_start_token_id", "eos_token_id", "pad_token_id"] {
            config[name] = match &options[name] {
                Value::Array(tokens) => tokens.first().cloned().unwrap_or(Value::Null),
                other => other.clone(),
            };
        }
        // Maps of text, numbers and flags always serialise.
        serde_json::to_string_pretty(&config).unwrap_or_default() + "\n"
    }
}

fn extend(config: &mut Map<String, Value>, values: Value) {
    if let Value::Object(values) = values {
        config.extend(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_with_its_dropout_rates() {
        let json = r#"{"model_type": "vision-encoder-decoder",
            "encoder": {"model_type": "clip", "vision_config": {"hidden_size": 48,
                "num_attention_heads": 4, "attention_dropout": 0.25}},
            "decoder": {"model_type": "mbart", "d_model": 32, "decoder_attention_heads": 4,
                "dropout": 0.5, "torch_dtype": null, "top_k": 50}}"#;
        let config = VisionEncoderDecoderConfig::from_json(json).unwrap();
        let options = GenerationConfig {
            decoder_start_token_id: Some(2),
            eos_token_id: vec![2],
            ..GenerationConfig::default()
        };
        let written = config.to_json(&options, Precision::BF16);
        assert_eq!(
            VisionEncoderDecoderConfig::from_json(&written).unwrap(),
            config
        );

        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(written["encoder"]["attention_dropout"], 0.25);
        assert_eq!(written["decoder"]["dropout"], 0.5);
        assert_eq!(written["decoder"].get("top_k"), None);
        assert_eq!(written["dtype"], "bfloat16");
        assert_eq!(written["eos_token_id"], 2);
        assert_eq!(written["pad_token_id"], Value::Null);
    }
}
