use burn::tensor::Device;
use clip_vision::ClipVisionConfig;
use mbart50_decoder::MBartDecoderConfig;
use packed_linear::Format;
use serde_json::{Map, Value};
use vision_encoder_decoder::VisionEncoderDecoder;
use whole_files::python_json;

use crate::ConfigError;
use crate::families::{DecoderConfig, EncoderConfig, ImageEncoder, TextDecoder};
use crate::form::{Form, PUBLISHED};
use crate::json::Entries;
use crate::model_type::ModelType;

/// A model of any encoder and any decoder that this crate knows.
pub type PretrainedModel = VisionEncoderDecoder<ImageEncoder, TextDecoder>;

/// The configuration of a [`PretrainedModel`].
#[derive(Clone, Debug, PartialEq)]
pub struct VisionEncoderDecoderConfig {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// The decoder.
    pub decoder: DecoderConfig,
    /// Whether there is a linear layer between encoder and decoder. Hugging Face's models have one if the
    /// widths differ; the published model always has one.
    pub projection: bool,
    /// Keys of the encoder and of the decoder that are not used here but saved again.
    pub(crate) kept: [Map<String, Value>; 2],
}

impl VisionEncoderDecoderConfig {
    /// Joins the configurations of an encoder and a decoder, with a projection if the encoder's width is not that of the
    /// memory that the decoder attends to.
    pub fn new(encoder: impl Into<EncoderConfig>, decoder: impl Into<DecoderConfig>) -> Self {
        let (encoder, decoder) = (encoder.into(), decoder.into());
        Self {
            projection: encoder.width() != decoder.memory_width(),
            encoder,
            decoder,
            kept: Default::default(),
        }
    }

    /// Reads a `config.json`: that of a Hugging Face `VisionEncoderDecoderModel` whose encoder and decoder are
    /// of supported families, or that of the model published in 2021.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not a JSON object, a part is missing or not supported, or the
    /// configuration of a part is invalid.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let json = python_json::standard(json);
        let (form, [encoder, decoder]) = Form::of(&json)?;
        let mut read = Self::joined(encoder, decoder)?;
        if form == PUBLISHED {
            read.projection = true;
            // Its code reads this key of the whole model, not that of the decoder.
            let whole = Entries::of(&json, ["tie_word_embeddings"])?;
            let tied = whole.text("tie_word_embeddings");
            read.decoder.set_tied_head(tied != Some("false"));
        }
        Ok(read)
    }

    /// Reads and joins the configurations of an encoder and a decoder.
    pub(crate) fn joined(encoder: &str, decoder: &str) -> Result<Self, ConfigError> {
        let model_type = |part, json| -> Result<ModelType, ConfigError> {
            let name = Entries::of(json, ["model_type"])?.string("model_type");
            Ok(ModelType::of(part, name))
        };
        let (encoder_config, encoder_keys) =
            EncoderConfig::read(model_type("the encoder", encoder)?, encoder)?;
        let (decoder_config, decoder_keys) =
            DecoderConfig::read(model_type("the decoder", decoder)?, decoder)?;
        if let Some(expected) = decoder_config.expected_encoder_width()
            && expected != encoder_config.width()
        {
            let found = encoder_config.width();
            return Err(ConfigError::MemoryWidth { expected, found });
        }
        Ok(Self {
            kept: [encoder_keys, decoder_keys],
            ..Self::new(encoder_config, decoder_config)
        })
    }

    /// The published model: CLIP's ViT-B/32 and mBART-50's decoder, with 547 million parameters.
    pub fn clip_vision_mbart50() -> Self {
        Self::new(
            ClipVisionConfig::vit_b_32(),
            MBartDecoderConfig::mbart_large_50(),
        )
    }

    /// A tiny CLIP and a tiny mBART for tests and examples: two narrow layers each, and 101 tokens.
    pub fn tiny() -> Self {
        let encoder = ClipVisionConfig {
            hidden_size: 32,
            intermediate_size: 64,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            image_size: 32,
            patch_size: 8,
            ..ClipVisionConfig::vit_b_32()
        };
        let decoder = MBartDecoderConfig {
            vocab_size: 101,
            d_model: 48,
            decoder_layers: 2,
            decoder_attention_heads: 4,
            decoder_ffn_dim: 80,
            max_position_embeddings: 64,
            ..MBartDecoderConfig::mbart_large_50()
        };
        Self::new(encoder, decoder)
    }

    /// Creates the model with fresh weights. They are allocated when they are first used.
    ///
    /// # Panics
    /// If the configuration of the encoder or the decoder is invalid: see its method `validate`.
    pub fn init(&self, device: &Device) -> PretrainedModel {
        self.init_with(None, device)
    }

    /// Creates the model with packed weights, for inference. They can't be trained; on devices with kernels
    /// for them, they are faster.
    ///
    /// # Panics
    /// If the configuration of the encoder or the decoder is invalid: see its method `validate`.
    pub fn init_packed(&self, format: Format, device: &Device) -> PretrainedModel {
        self.init_with(Some(format), device)
    }

    pub(crate) fn init_with(&self, format: Option<Format>, device: &Device) -> PretrainedModel {
        let encoder = self.encoder.init(format, device);
        let decoder = self.decoder.init(format, device);
        let model = VisionEncoderDecoder::new(encoder, decoder);
        let (from, to) = (self.encoder.width(), self.decoder.memory_width());
        match (self.projection, format) {
            (false, _) => model,
            (true, None) => model.with_projection(from, to, device),
            (true, Some(format)) => model.with_packed_projection(from, to, format, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_architectures_are_refused_by_name() {
        for (json, message) in [
            (r#"{"model_type": "blip"}"#, "\"blip\""),
            ("{}", "(none)"),
            (
                r#"{"model_type": "vision-encoder-decoder"}"#,
                "no \"encoder\" object",
            ),
            (
                r#"{"model_type": "vision-encoder-decoder", "encoder": {"model_type": "beit"},
                    "decoder": {"model_type": "mbart"}}"#,
                "the encoder has model_type \"beit\"",
            ),
            (
                r#"{"model_type": "vision-encoder-decoder",
                    "encoder": {"model_type": "clip", "vision_config": {"patch_size": 0}}}"#,
                "no \"decoder\" object",
            ),
        ] {
            let error = VisionEncoderDecoderConfig::from_json(json).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn the_published_form_always_has_a_projection_and_ties_its_head_as_a_whole() {
        let json = r#"{"model_type": "clip-vision-mbart", "tie_word_embeddings": false,
            "clip_vision_config": {"model_type": "clip_vision_model", "hidden_size": 48},
            "mbart_config": {"model_type": "mbart", "d_model": 48, "dropout": 0.3}}"#;
        let config = VisionEncoderDecoderConfig::from_json(json).unwrap();
        assert!(config.projection);
        let DecoderConfig::MBart(decoder) = config.decoder else {
            panic!("the decoder is mBART's");
        };
        assert!(!decoder.tie_word_embeddings);
        assert_eq!(decoder.dropout, 0.3);
    }
}
