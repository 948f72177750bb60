use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};
use checkpoint::{LoadError, TensorSource, WeightGroup, load_weights};
use packed_linear::Format;
use serde_json::{Map, Value};
use transformer_layers::{DecoderState, Shortlist};
use vision_encoder_decoder::{Decoder, Memory};

use super::family::{DecoderFamily, Family, kept, own_weights, written};
use crate::ConfigError;
use crate::model_type::ModelType;

/// Defines the two enums of a table of decoders, and delegates each call to the crate of the entry.
macro_rules! decoders {
    ($($(#[$doc:meta])* $name:ident: $config:ty => $model:ty;)*) => {
        /// A text decoder of any supported family.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant)] // a model has only one value of it
        pub enum TextDecoder {
            $($(#[$doc])* $name($model)),*
        }

        /// The configuration of a [`TextDecoder`].
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum DecoderConfig {
            $($(#[$doc])* $name($config)),*
        }

        $(
            impl From<$config> for DecoderConfig {
                fn from(config: $config) -> Self {
                    Self::$name(config)
                }
            }
        )*

        impl Decoder for TextDecoder {
            type State = DecoderState;

            fn vocab_size(&self) -> usize {
                match self {
                    $(Self::$name(model) => model.vocab_size()),*
                }
            }

            fn max_positions(&self) -> Option<usize> {
                match self {
                    $(Self::$name(model) => model.max_positions()),*
                }
            }

            fn start(&self, memory: Memory, row_sources: &[usize]) -> DecoderState {
                match self {
                    $(Self::$name(model) => model.start(memory, row_sources)),*
                }
            }

            fn forward(
                &self,
                tokens: Tensor<2, Int>,
                padding: Option<Tensor<2, Bool>>,
                state: &mut DecoderState,
            ) -> Tensor<3> {
                match self {
                    $(Self::$name(model) => model.forward(tokens, padding, state)),*
                }
            }

            fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
                match self {
                    $(Self::$name(model) => model.logits(hidden)),*
                }
            }

            fn shortlist(&self, tokens: &[u32]) -> Option<Shortlist> {
                match self {
                    $(Self::$name(model) => model.shortlist(tokens)),*
                }
            }

            fn select_rows(&self, state: &mut DecoderState, parents: &[usize]) {
                match self {
                    $(Self::$name(model) => model.select_rows(state, parents)),*
                }
            }

            fn record_attention(&self, state: &mut DecoderState) {
                match self {
                    $(Self::$name(model) => model.record_attention(state)),*
                }
            }

            fn recorded_attention(&self, state: &DecoderState) -> Option<Vec<Tensor<3>>> {
                match self {
                    $(Self::$name(model) => model.recorded_attention(state)),*
                }
            }
        }

        impl DecoderConfig {
            /// The supported values of `model_type`.
            pub(crate) fn model_types() -> Vec<&'static str> {
                [$(<$config as Family>::MODEL_TYPES),*].concat()
            }

            /// Reads the configuration of a supported family.
            pub(crate) fn read(model_type: ModelType<'_>, value: Value) -> Result<Self, ConfigError> {
                $(
                    if <$config as Family>::MODEL_TYPES.contains(&model_type.name) {
                        let config = <$config as Family>::read(value);
                        return config.map(Self::$name).map_err(ConfigError::Decoder);
                    }
                )*
                Err(model_type.unsupported(Self::model_types()))
            }

            /// The configuration that is saved for the decoder.
            pub(crate) fn write(&self, kept: &Map<String, Value>) -> Map<String, Value> {
                match self {
                    $(Self::$name(config) => written(config, kept)),*
                }
            }

            /// Keys that are not used here but saved again.
            pub(crate) fn kept(&self, value: &Value) -> Map<String, Value> {
                match self {
                    $(Self::$name(_) => kept::<$config>(value)),*
                }
            }

            /// Creates the decoder with fresh weights, which are packed if there is a format.
            pub(crate) fn init(&self, format: Option<Format>, device: &Device) -> TextDecoder {
                match self {
                    $(Self::$name(config) => TextDecoder::$name(Family::init(config, format, device))),*
                }
            }

            /// The names of the decoder's weights in a checkpoint of the whole model.
            pub(crate) fn weights(&self) -> WeightGroup<'static> {
                match self {
                    $(Self::$name(_) => WeightGroup {
                        module: concat!("decoder.", stringify!($name), "."),
                        checkpoint: <$config as Family>::PREFIXES,
                        names: <$config as Family>::WEIGHTS,
                    }),*
                }
            }

            /// Loads a decoder from its own checkpoint.
            pub(crate) fn load(
                &self,
                decoder: TextDecoder,
                weights: &dyn TensorSource,
            ) -> Result<TextDecoder, LoadError> {
                match self {
                    $(Self::$name(_) => own_weights::<$config, _>(
                        concat!(stringify!($name), "."),
                        |names| load_weights(decoder, weights, names),
                    )),*
                }
            }

            /// The path of a parameter that only some checkpoints have, and that no configuration mentions.
            pub(crate) fn optional_path(&self) -> Option<String> {
                let (name, path) = match self {
                    $(Self::$name(_) => (stringify!($name), <$config as DecoderFamily>::OPTIONAL?)),*
                };
                Some(format!("decoder.{name}.{path}"))
            }

            /// Adds or removes the parameter of [`optional_path`](Self::optional_path).
            pub(crate) fn set_optional(&mut self, exists: bool) {
                match self {
                    $(Self::$name(config) => config.set_optional(exists)),*
                }
            }

            /// Sets whether the head shares the table of token embeddings.
            pub(crate) fn set_tied_head(&mut self, tied: bool) {
                match self {
                    $(Self::$name(config) => config.set_tied_head(tied)),*
                }
            }

            /// What transformers does not have of a model of this configuration, in words.
            pub(crate) fn unknown_to_transformers(&self) -> Option<&'static str> {
                match self {
                    $(Self::$name(config) => config.unknown_to_transformers()),*
                }
            }

            /// Width of the memory that the decoder attends to.
            pub fn width(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.width()),*
                }
            }

            /// Tokens that the head scores.
            pub fn vocab_size(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.vocab_size()),*
                }
            }

            /// Layers of the decoder.
            pub fn layers(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.layers()),*
                }
            }

            /// Longest text, in tokens.
            pub fn max_positions(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.max_positions()),*
                }
            }
        }
    };
}

decoders! {
    /// mBART's decoder.
    MBart: mbart50_decoder::MBartDecoderConfig => mbart50_decoder::MBartDecoder;
}
