use crate::checkpoint::{WeightGroup, WeightNames};

/// Where the parts of a [`ClipVisionMBart50`](crate::ClipVisionMBart50) stand in a checkpoint: a
/// Hugging Face `VisionEncoderDecoderModel`, or the model that was published in 2021.
#[rustfmt::skip]
pub(crate) const WEIGHTS: WeightNames<'static> = WeightNames {
    groups: &[
        // Transformers 5, then 4, then the published model.
        WeightGroup { module: "encoder.", checkpoint: &["encoder.", "encoder.vision_model.", "model.encoder.vision_model."], names: clip_vision::WEIGHTS },
        // Transformers, then the published model.
        WeightGroup { module: "decoder.", checkpoint: &["decoder.", ""], names: mbart50_decoder::WEIGHTS },
        WeightGroup { module: "",         checkpoint: &[""],             names: PROJECTION },
    ],
    ignored: &[
        // A buffer that transformers 4 stored.
        "*embeddings.position_ids",
        // The head where it is tied to the embeddings.
        "*lm_head.weight",
    ],
};

#[rustfmt::skip]
const PROJECTION: &[(&str, &str)] = &[
    ("projection.weight", "enc_to_dec_proj.weight"),
    ("projection.bias",   "enc_to_dec_proj.bias"),
    ("projection.weight", "model.visual_projection.weight"),
    ("projection.bias",   "model.visual_projection.bias"),
];

/// The parameters of the encoder in a CLIP checkpoint: of the whole model, or of its vision half as
/// transformers 4 writes it, then as 5 does.
pub(crate) const CLIP_WEIGHTS: WeightNames<'static> = WeightNames {
    groups: &[WeightGroup {
        module: "",
        checkpoint: &["vision_model.", ""],
        names: clip_vision::WEIGHTS,
    }],
    ignored: &[
        "*embeddings.position_ids",
        "text_model.*",
        "text_projection.weight",
        "visual_projection.weight",
        "logit_scale",
    ],
};

/// The parameters of the decoder in an mBART checkpoint: of the whole model with its head or
/// without, or of its decoder.
pub(crate) const MBART_WEIGHTS: WeightNames<'static> = WeightNames {
    groups: &[WeightGroup {
        module: "",
        checkpoint: &["", "-model."],
        names: mbart50_decoder::WEIGHTS,
    }],
    ignored: &[
        "model.encoder.*",
        "encoder.*",
        "*shared.weight",
        "lm_head.weight",
        // Of the whole model; a decoder that attends to images starts without.
        "final_logits_bias",
    ],
};
