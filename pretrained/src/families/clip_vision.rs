use burn::tensor::Device;
use checkpoint::Layout;
use clip_vision::{ClipVisionConfig, ClipVisionModel};
use packed_linear::Format;
use serde_json::{Value, json};
use transformer_layers::ConfigError;

use super::family::{EncoderFamily, Family, MemoryGrid};

impl Family for ClipVisionConfig {
    type Model = ClipVisionModel;

    const MODEL_TYPES: &'static [&'static str] = &["clip_vision_model", "clip"];
    const WEIGHTS: &'static [(&'static str, &'static str, Layout)] = clip_vision::WEIGHTS;
    // That of transformers 5, of transformers 4, and of the published model.
    const PREFIXES: &'static [&'static str] = &[
        "encoder.",
        "encoder.vision_model.",
        "model.encoder.vision_model.",
    ];
    // A whole CLIP or its vision half as transformers 4 saves them, then the vision half as 5 saves it.
    const OWN_PREFIXES: &'static [&'static str] = &["vision_model.", ""];
    const OWN_IGNORED: &'static [&'static str] = &[
        "*embeddings.position_ids", // a buffer that transformers 4 stored
        "text_model.*",
        "text_projection.weight",
        "visual_projection.weight",
        "logit_scale",
    ];
    const KEPT_KEYS: &'static [&'static str] = &["projection_dim"];
    const PART_OF: Option<&'static str> = Some("vision_config");

    fn read(value: Value) -> Result<Self, ConfigError> {
        Self::from_value(value)
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn init(&self, format: Option<Format>, device: &Device) -> ClipVisionModel {
        match format {
            Some(format) => self.init_packed(format, device),
            None => self.init(device),
        }
    }

    fn width(&self) -> usize {
        self.hidden_size
    }
}

impl EncoderFamily for ClipVisionConfig {
    fn input(&self) -> [usize; 3] {
        [self.num_channels, self.image_size, self.image_size]
    }

    fn grid(&self) -> MemoryGrid {
        let side = self.image_size / self.patch_size;
        MemoryGrid {
            tokens: 1,
            rows: side,
            columns: side,
        }
    }
}
