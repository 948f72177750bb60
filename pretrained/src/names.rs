//! The weight names of a whole model, in a checkpoint of a Hugging Face `VisionEncoderDecoderModel` or of the
//! model published in 2021.

use checkpoint::{Layout, WeightGroup, WeightNames};

use crate::VisionEncoderDecoderConfig;

/// Tensors that a checkpoint may have although the model has no parameters for them, beside those of a family.
const IGNORED: &[&str] = &[
    // A buffer that transformers 4 stored.
    "*embeddings.position_ids",
    // A buffer of Swin transformers, which is a function of the window's size.
    "*relative_position_index",
    // What classifiers predict from ViT's class token, and what replaced a patch in its pre-training.
    "encoder.pooler.*",
    "*embeddings.mask_token",
    // The head, if it is tied to the token embeddings.
    "*lm_head.weight",
    // The token embeddings of a whole mBART, beside those of its decoder.
    "*model.shared.weight",
];

const PROJECTION: WeightGroup<'static> = WeightGroup {
    module: "projection.",
    // That of Hugging Face, then that of the published model.
    checkpoint: &["enc_to_dec_proj.", "model.visual_projection."],
    names: &[
        ("weight", "weight", Layout::OutputLast),
        ("bias", "bias", Layout::OutputFirst),
    ],
};

impl VisionEncoderDecoderConfig {
    /// The name that a saved checkpoint has for the parameter at Burn's path in the model: the one by which
    /// Python programs know it. `None` if the model has no such parameter.
    pub fn parameter_name(&self, path: &str) -> Option<String> {
        with_names(self, |names| names.saved_name(path))
    }
}

/// Calls a function with the table of the model's weight names.
pub(crate) fn with_names<R>(
    config: &VisionEncoderDecoderConfig,
    with: impl FnOnce(&WeightNames<'_>) -> R,
) -> R {
    let (encoder, decoder) = (config.encoder.weights(), config.decoder.weights());
    let groups: Vec<_> = encoder
        .into_iter()
        .chain(decoder)
        .chain([PROJECTION])
        .collect();
    let ignored = [IGNORED, config.encoder.ignored(), config.decoder.ignored()].concat();
    with(&WeightNames {
        groups: &groups,
        ignored: &ignored,
    })
}
