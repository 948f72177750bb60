use burn::tensor::Device;
use checkpoint::Layout;
use packed_linear::Format;
use serde_json::{Value, json};
use swin::{SwinConfig, SwinModel, SwinModelType};
use transformer_layers::ConfigError;

use super::family::{EncoderFamily, Family, MemoryGrid};

impl Family for SwinConfig {
    type Model = SwinModel;

    const MODEL_TYPES: &'static [&'static str] = &["swin", "donut-swin"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = swin::WEIGHTS;
    const PREFIXES: &'static [&'static str] = &["encoder."];
    // A model with a head, then one without.
    const OWN_PREFIXES: &'static [&'static str] = &["swin.", "donut.", ""];
    const OWN_IGNORED: &'static [&'static str] = &[
        "classifier.*",
        // What replaces a patch in pre-training, and what the pixels are predicted with.
        "*embeddings.mask_token",
        "decoder.*",
        // A buffer that is a function of the window's size.
        "*relative_position_index",
    ];
    #[rustfmt::skip]
    const KEPT_KEYS: &'static [&'static str] = &[
        "encoder_stride", "out_features", "out_indices", "stage_names",
    ];

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        let mut config = json!(self);
        config["hidden_size"] = json!(self.hidden_size());
        config["num_layers"] = json!(self.depths.len());
        config
    }

    fn init(&self, format: Option<Format>, device: &Device) -> SwinModel {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.hidden_size()
    }
}

impl EncoderFamily for SwinConfig {
    fn input(&self) -> [usize; 3] {
        let [height, width] = self.image_size.get();
        [self.num_channels, height, width]
    }

    fn grid(&self) -> MemoryGrid {
        let ([height, width], [rows, columns]) = (self.image_size.get(), self.patch_size.get());
        // Each stage but the last merges patches two by two.
        let merged = 1 << (self.depths.len() - 1);
        MemoryGrid {
            tokens: 0,
            rows: height.div_ceil(rows).div_ceil(merged),
            columns: width.div_ceil(columns).div_ceil(merged),
        }
    }

    fn prompt_replaces_start_token(&self) -> bool {
        self.model_type == SwinModelType::DonutSwin
    }
}
