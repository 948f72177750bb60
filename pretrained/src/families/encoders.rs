use burn::module::Module;
use burn::tensor::{Device, Tensor};
use checkpoint::{LoadError, TensorSource, WeightGroup, load_weights};
use packed_linear::Format;
use serde_json::{Map, Value};
use vision_encoder_decoder::{Encoder, Memory};

use super::family::{EncoderFamily, Family, kept, own_weights, written};
use crate::ConfigError;
use crate::model_type::ModelType;

/// Defines the two enums of a table of encoders, and delegates each call to the crate of the entry.
macro_rules! encoders {
    ($($(#[$doc:meta])* $name:ident: $config:ty => $model:ty;)*) => {
        /// An image encoder of any supported family.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant)] // a model has only one value of it
        pub enum ImageEncoder {
            $($(#[$doc])* $name($model)),*
        }

        /// The configuration of an [`ImageEncoder`].
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum EncoderConfig {
            $($(#[$doc])* $name($config)),*
        }

        $(
            impl From<$config> for EncoderConfig {
                fn from(config: $config) -> Self {
                    Self::$name(config)
                }
            }
        )*

        impl Encoder for ImageEncoder {
            /// Pixel values, `[images, channels, height, width]`.
            type Input = Tensor<4>;

            fn encode(&self, pixel_values: Tensor<4>) -> Memory {
                match self {
                    $(Self::$name(model) => model.encode(pixel_values)),*
                }
            }
        }

        impl EncoderConfig {
            /// The supported values of `model_type`.
            pub(crate) fn model_types() -> Vec<&'static str> {
                [$(<$config as Family>::MODEL_TYPES),*].concat()
            }

            /// Reads the configuration of a supported family.
            pub(crate) fn read(model_type: ModelType<'_>, value: Value) -> Result<Self, ConfigError> {
                $(
                    if <$config as Family>::MODEL_TYPES.contains(&model_type.name) {
                        let config = <$config as Family>::read(value);
                        return config.map(Self::$name).map_err(ConfigError::Encoder);
                    }
                )*
                Err(model_type.unsupported(Self::model_types()))
            }

            /// The configuration that is saved for the encoder.
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

            /// Creates the encoder with fresh weights, which are packed if there is a format.
            pub(crate) fn init(&self, format: Option<Format>, device: &Device) -> ImageEncoder {
                match self {
                    $(Self::$name(config) => ImageEncoder::$name(Family::init(config, format, device))),*
                }
            }

            /// The names of the encoder's weights in a checkpoint of the whole model.
            pub(crate) fn weights(&self) -> WeightGroup<'static> {
                match self {
                    $(Self::$name(_) => WeightGroup {
                        module: concat!("encoder.", stringify!($name), "."),
                        checkpoint: <$config as Family>::PREFIXES,
                        names: <$config as Family>::WEIGHTS,
                    }),*
                }
            }

            /// Loads an encoder from its own checkpoint.
            pub(crate) fn load(
                &self,
                encoder: ImageEncoder,
                weights: &dyn TensorSource,
            ) -> Result<ImageEncoder, LoadError> {
                match self {
                    $(Self::$name(_) => own_weights::<$config, _>(
                        concat!(stringify!($name), "."),
                        |names| load_weights(encoder, weights, names),
                    )),*
                }
            }

            /// Width of the encoder's output.
            pub fn width(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.width()),*
                }
            }

            /// Channels, height and width of the pixel values that the encoder takes.
            pub fn input(&self) -> [usize; 3] {
                match self {
                    $(Self::$name(config) => config.input()),*
                }
            }
        }
    };
}

encoders! {
    /// CLIP's vision transformer.
    ClipVision: clip_vision::ClipVisionConfig => clip_vision::ClipVisionModel;
}
