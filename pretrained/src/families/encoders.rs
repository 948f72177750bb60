use burn::tensor::Tensor;
use vision_encoder_decoder::{Encoder, Memory};

use super::family::{EncoderFamily, Family, MemoryGrid};
use super::table::table;

/// Defines the two enums of a table of encoders, and delegates each call to the crate of the entry.
macro_rules! encoders {
    ($($(#[$doc:meta])* $name:ident: $config:ty => $model:ty;)*) => {
        table! {
            "encoder", Encoder,
            /// An image encoder of any supported family.
            ImageEncoder,
            /// The configuration of an [`ImageEncoder`].
            EncoderConfig,
            $($(#[$doc])* $name: $config => $model;)*
        }

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
            /// Channels, height and width of the pixel values that the encoder takes.
            pub fn input(&self) -> [usize; 3] {
                match self {
                    $(Self::$name(config) => config.input()),*
                }
            }

            /// Height and width of the images that the encoder takes.
            pub fn image_size(&self) -> [u32; 2] {
                let [_, height, width] = self.input();
                [height, width].map(|side| u32::try_from(side).unwrap_or(u32::MAX))
            }

            /// The family's name in `config.json`, such as `vit`.
            pub fn model_type(&self) -> String {
                let written = self.write(&serde_json::Map::new());
                let name = written.get("model_type").and_then(serde_json::Value::as_str);
                name.unwrap_or_default().to_owned()
            }

            /// Where the positions of the memory are in the image.
            pub fn grid(&self) -> MemoryGrid {
                match self {
                    $(Self::$name(config) => config.grid()),*
                }
            }

            /// Whether a prompt takes the place of the start token, as transformers has it for Donut. For all other
            /// models, it follows the start token.
            pub fn prompt_replaces_start_token(&self) -> bool {
                match self {
                    $(Self::$name(config) => config.prompt_replaces_start_token()),*
                }
            }
        }
    };
}

encoders! {
    /// CLIP's vision transformer.
    ClipVision: clip_vision::ClipVisionConfig => clip_vision::ClipVisionModel;
    /// ViT and DeiT.
    ViT: vit::ViTConfig => vit::ViTModel;
    /// Swin transformers, and Donut's.
    Swin: swin::SwinConfig => swin::SwinModel;
}
