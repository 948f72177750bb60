use burn::tensor::Device;
use checkpoint::Layout;
use packed_linear::Format;
use serde_json::{Value, json};
use transformer_layers::ConfigError;
use vit::{ViTConfig, ViTModel};

use super::family::{EncoderFamily, Family, MemoryGrid};

impl Family for ViTConfig {
    type Model = ViTModel;

    const MODEL_TYPES: &'static [&'static str] = &["vit", "deit"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = vit::WEIGHTS;
    const PREFIXES: &'static [&'static str] = &["encoder."];
    // A model with a head, then one without.
    const OWN_PREFIXES: &'static [&'static str] = &["vit.", "deit.", ""];
    const OWN_IGNORED: &'static [&'static str] = &[
        // The head of a classifier, and the two of a DeiT that was distilled.
        "classifier.*",
        "cls_classifier.*",
        "distillation_classifier.*",
        // What is predicted from the class token, and what replaces a patch, in pre-training.
        "pooler.*",
        "vit.pooler.*",
        "deit.pooler.*",
        "decoder.*",
        "*embeddings.mask_token",
    ];
    const KEPT_KEYS: &'static [&'static str] =
        &["encoder_stride", "pooler_act", "pooler_output_size"];

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn init(&self, format: Option<Format>, device: &Device) -> ViTModel {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.hidden_size
    }
}

impl EncoderFamily for ViTConfig {
    fn input(&self) -> [usize; 3] {
        let [height, width] = self.image_size.get();
        [self.num_channels, height, width]
    }

    fn grid(&self) -> MemoryGrid {
        let ([height, width], [rows, columns]) = (self.image_size.get(), self.patch_size.get());
        let (rows, columns) = (height / rows, width / columns);
        MemoryGrid {
            tokens: self.num_positions() - rows * columns,
            rows,
            columns,
        }
    }
}
