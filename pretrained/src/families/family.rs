use burn::tensor::{Device, Tensor};
use checkpoint::{Layout, WeightGroup};
use packed_linear::Format;
use serde::Serialize;
use serde_json::{Map, Value, json};
use transformer_layers::{ConfigError, DecoderState};
use vision_encoder_decoder::{Decoder, Encoder};

use crate::json::Entries;

/// The configuration of a model family, with what loading and saving need to know about the family.
pub(crate) trait Family: Clone + Default + PartialEq + Serialize + Sized {
    /// The model that the configuration describes.
    type Model;

    /// The values of `model_type` in `config.json`. The first is the one that is saved, unless the configuration
    /// has this key.
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

    /// Names in the checkpoint of a whole model that are not part of the model.
    const IGNORED: &'static [&'static str] = &[];

    /// Keys that are not used here but saved again, for training the saved model in Python.
    const KEPT_KEYS: &'static [&'static str];

    /// The key of this configuration in that of a larger model that contains the model.
    const PART_OF: Option<&'static str> = None;

    /// Reads the configuration of a model.
    fn read(value: Value) -> Result<Self, ConfigError>;

    /// The configuration that is saved, including the keys that say which role it has in the whole model.
    fn write(&self) -> Value;

    /// Further names of weights that a checkpoint of this configuration may have.
    fn further_weights(&self) -> &'static [(&'static str, &'static str, Layout)] {
        &[]
    }

    /// Creates a model with fresh weights, which are packed if there is a format.
    fn init(&self, format: Option<Format>, device: &Device) -> Self::Model;

    /// Width of the hidden states.
    fn width(&self) -> usize;
}

/// Where the positions of an encoder's memory are in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryGrid {
    /// Positions in front that have no place in the image: a class token for example.
    pub tokens: usize,
    /// Rows of the positions after them, which are listed row by row from the top left.
    pub rows: usize,
    /// Columns of these.
    pub columns: usize,
}

impl MemoryGrid {
    /// All positions.
    pub fn positions(&self) -> usize {
        self.tokens + self.rows * self.columns
    }
}

/// The configuration of an image encoder.
pub(crate) trait EncoderFamily: Family<Model: Encoder<Input = Tensor<4>>> {
    /// Channels, height and width of the pixel values that the encoder takes.
    fn input(&self) -> [usize; 3];

    /// Where the positions of the memory are in the image.
    fn grid(&self) -> MemoryGrid;

    /// Whether a prompt takes the place of the start token, as transformers has it for Donut alone.
    fn prompt_replaces_start_token(&self) -> bool {
        false
    }
}

/// The configuration of a text decoder.
pub(crate) trait DecoderFamily: Family<Model: Decoder<State = DecoderState>> {
    /// Tokens that the head scores.
    fn vocab_size(&self) -> usize;

    /// Sets the number of tokens.
    fn set_vocab_size(&mut self, vocab_size: usize);

    /// Layers.
    fn layers(&self) -> usize;

    /// Longest text, in tokens.
    fn max_positions(&self) -> usize;

    /// Width of the memory that it attends to.
    fn memory_width(&self) -> usize {
        self.width()
    }

    /// The width that an encoder must have, if the configuration says so. Otherwise there is a projection between them if
    /// their widths differ.
    fn expected_encoder_width(&self) -> Option<usize> {
        None
    }

    /// The path of the table of token embeddings.
    const EMBEDDINGS: &'static str;

    /// The path of the head's own table, if it has one.
    const HEAD: &'static str;

    /// Whether the head shares the table of token embeddings.
    fn has_tied_head(&self) -> bool;

    /// Sets whether the head shares the table of token embeddings.
    fn set_tied_head(&mut self, tied: bool);

    /// The path of the head's bias, which has a value for each token.
    const BIAS: Option<&'static str> = None;

    /// The path of a parameter that only some checkpoints have, and that no configuration mentions.
    const OPTIONAL: Option<&'static str> = None;

    /// Adds or removes that parameter.
    fn set_optional(&mut self, _exists: bool) {}

    /// What transformers does not have of a model of this configuration, in words.
    fn unknown_to_transformers(&self) -> Option<&'static str> {
        None
    }
}

/// The configuration of a decoder with the keys that say that it is one, and attends to an encoder.
pub(crate) fn with_decoder_keys(mut config: Value) -> Value {
    config["is_decoder"] = json!(true);
    config["add_cross_attention"] = json!(true);
    config
}

/// The names of a model's weights, with these prefixes. `module` is the prefix of the paths of its parameters.
pub(crate) fn groups<F: Family>(
    config: &F,
    module: &'static str,
    prefixes: &'static [&'static str],
) -> [WeightGroup<'static>; 2] {
    [F::WEIGHTS, config.further_weights()].map(|names| WeightGroup {
        module,
        checkpoint: prefixes,
        names,
    })
}

/// Reads a configuration from JSON, and the keys that are not used here but saved again.
pub(crate) fn read<F: Family>(
    json: &str,
    error: fn(ConfigError) -> crate::ConfigError,
) -> Result<(F, Map<String, Value>), crate::ConfigError> {
    let whole = Entries::of(json, F::PART_OF)?;
    let json = F::PART_OF.and_then(|key| whole.text(key)).unwrap_or(json);
    let own = json!(F::default());
    let own = own.as_object().into_iter().flat_map(Map::keys);
    let used = Entries::of(json, own.map(String::as_str))?.values()?;
    let config = F::read(Value::Object(used)).map_err(error)?;
    let kept = Entries::of(json, F::KEPT_KEYS.iter().copied())?.values()?;
    Ok((config, kept))
}

/// The configuration that is saved for an encoder or a decoder.
pub(crate) fn written<F: Family>(config: &F, kept: &Map<String, Value>) -> Map<String, Value> {
    let mut keys = kept.clone();
    if let Value::Object(own) = config.write() {
        keys.extend(own);
    }
    // The configuration itself says so if a family has several models.
    if let Some(name) = F::MODEL_TYPES.first()
        && !keys.contains_key("model_type")
    {
        keys.insert("model_type".into(), (*name).into());
    }
    keys
}
