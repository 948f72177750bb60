use burn::module::Module;
use burn::tensor::{Device, Tensor};
use checkpoint::{Layout, LoadError, TensorSource, WeightGroup, WeightNames, load_weights};
use packed_linear::Format;
use serde_json::{Map, Value};
use transformer_layers::{ConfigError, DecoderState};
use vision_encoder_decoder::{Decoder, Encoder};

/// The configuration of a model family, with what loading and saving need to know about the family.
pub(crate) trait Family: Clone + PartialEq + Sized {
    /// The model that the configuration describes.
    type Model;

    /// The values of `model_type` in `config.json`. The first is the one that is saved.
    const MODEL_TYPES: &'static [&'static str];

    /// Every weight of the model: its path, its name in a checkpoint, and its layout.
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)];

    /// The prefixes that these names may have in the checkpoint of a `VisionEncoderDecoderModel` or of the
    /// model published in 2021.
    const PREFIXES: &'static [&'static str];

    /// The prefixes that these names may have in a checkpoint of this family alone, which
    /// [`from_encoder_decoder`](crate::Pretrained::from_encoder_decoder) reads.
    const OWN_PREFIXES: &'static [&'static str];

    /// Names in such a checkpoint that are not part of the model.
    const OWN_IGNORED: &'static [&'static str];

    /// Keys that are not used here but saved again, for training the saved model in Python.
    const KEPT_KEYS: &'static [&'static str];

    /// Reads the configuration of a model, or of a larger model that contains it.
    fn read(value: Value) -> Result<Self, ConfigError>;

    /// The configuration that is saved, including the keys that say which role it has in the whole model.
    fn write(&self) -> Value;

    /// The part of `value` that has the kept keys.
    fn kept_in(value: &Value) -> &Value {
        value
    }

    /// Creates a model with fresh weights, which are packed if there is a format.
    fn init(&self, format: Option<Format>, device: &Device) -> Self::Model;

    /// Width of the hidden states.
    fn width(&self) -> usize;
}

/// The configuration of an image encoder.
pub(crate) trait EncoderFamily: Family<Model: Encoder<Input = Tensor<4>>> {
    /// Channels, height and width of the pixel values that the encoder takes.
    fn input(&self) -> [usize; 3];
}

/// The configuration of a text decoder.
pub(crate) trait DecoderFamily: Family<Model: Decoder<State = DecoderState>> {
    /// Tokens that the head scores.
    fn vocab_size(&self) -> usize;

    /// Layers.
    fn layers(&self) -> usize;

    /// Longest text, in tokens.
    fn max_positions(&self) -> usize;

    /// Sets whether the head shares the table of token embeddings.
    fn set_tied_head(&mut self, tied: bool);

    /// The path of a parameter that only some checkpoints have, and that no configuration mentions.
    const OPTIONAL: Option<&'static str>;

    /// Adds or removes that parameter.
    fn set_optional(&mut self, exists: bool);

    /// What transformers does not have of a model of this configuration, in words.
    fn unknown_to_transformers(&self) -> Option<&'static str>;
}

/// Loads a model from a checkpoint of its own. `module` is the prefix of the paths of its parameters.
pub(crate) fn load_own<F: Family, M: Module>(
    module: &str,
    model: M,
    weights: &dyn TensorSource,
) -> Result<M, LoadError> {
    let names = WeightNames {
        groups: &[WeightGroup {
            module,
            checkpoint: F::OWN_PREFIXES,
            names: F::WEIGHTS,
        }],
        ignored: F::OWN_IGNORED,
    };
    load_weights(model, weights, &names)
}

/// The keys of a configuration that are not used here but saved again.
pub(crate) fn kept<F: Family>(value: &Value) -> Map<String, Value> {
    let config = F::kept_in(value);
    let known = F::KEPT_KEYS.iter().filter_map(|key| {
        let value = config.get(key).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    });
    known.collect()
}

/// The configuration that is saved for an encoder or a decoder.
pub(crate) fn written<F: Family>(config: &F, kept: &Map<String, Value>) -> Map<String, Value> {
    let mut keys = kept.clone();
    if let Value::Object(own) = config.write() {
        keys.extend(own);
    }
    if let Some(name) = F::MODEL_TYPES.first() {
        keys.insert("model_type".into(), (*name).into());
    }
    keys
}
