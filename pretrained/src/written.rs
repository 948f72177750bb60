use checkpoint::Precision;
use generation::GenerationConfig;
use serde_json::{Value, json};

use crate::VisionEncoderDecoderConfig;
use crate::form::HUGGING_FACE;

impl VisionEncoderDecoderConfig {
    /// The `config.json` of a Hugging Face `VisionEncoderDecoderModel` whose weights are stored in
    /// `precision`.
    pub fn to_json(&self, generation_config: &GenerationConfig, precision: Precision) -> String {
        let [encoder_keys, decoder_keys] = &self.kept;
        let mut config = json!({
            "architectures": ["VisionEncoderDecoderModel"],
            "model_type": HUGGING_FACE.model_type,
            "is_encoder_decoder": true,
            // True would tie the encoder to the decoder; the decoder's own key says whether its head is tied.
            "tie_word_embeddings": false,
            "dtype": precision.torch_name(),
            "encoder": self.encoder.write(encoder_keys),
            "decoder": self.decoder.write(decoder_keys),
        });
        // Transformers reads these keys here when it trains the model.
        let options = json!(generation_config);
        for name in ["decoder_start_token_id", "eos_token_id", "pad_token_id"] {
            config[name] = match &options[name] {
                Value::Array(tokens) => tokens.first().cloned().unwrap_or(Value::Null),
                other => other.clone(),
            };
        }
        // A JSON value can always be serialised.
        serde_json::to_string_pretty(&config).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_configuration_is_read_again_with_its_dropout_rates() {
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
