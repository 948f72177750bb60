use crate::checkpoint::{WeightGroup, WeightNames};

/// Where the parts of a [`ClipVisionMBart50`](crate::ClipVisionMBart50) stand in a Hugging Face
/// `VisionEncoderDecoderModel`.
#[rustfmt::skip]
pub(crate) const WEIGHTS: WeightNames<'static> = WeightNames {
    groups: &[
        // Transformers 5, then 4.
        WeightGroup { module: "encoder.", checkpoint: &["encoder.", "encoder.vision_model."], names: clip_vision::WEIGHTS },
        WeightGroup { module: "decoder.", checkpoint: &["decoder."],                          names: mbart50_decoder::WEIGHTS },
        WeightGroup { module: "",         checkpoint: &[""],                                  names: PROJECTION },
    ],
    // A buffer that transformers 4 stored, and the head where it is tied to the embeddings.
    ignored: &["embeddings.position_ids", "decoder.lm_head.weight"],
};

#[rustfmt::skip]
const PROJECTION: &[(&str, &str)] = &[
    ("projection.weight", "enc_to_dec_proj.weight"),
    ("projection.bias",   "enc_to_dec_proj.bias"),
];
