use packed_linear::Layout::{self, OutputFirst, OutputLast};

/// Every weight: Burn's path of the parameter in [`ViTModel`](crate::ViTModel), its name in a Hugging Face
/// checkpoint, and the layout of the parameter. `{}` stands for the index of the layer.
///
/// Transformers 4 and 5 save the first name of a parameter. The second, if it has one, is what transformers 5 calls
/// it while it runs.
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str, Layout)] = &[
    ("embeddings.class_token",                        "embeddings.cls_token",                               OutputFirst),
    ("embeddings.distillation_token",                 "embeddings.distillation_token",                      OutputFirst),
    ("embeddings.patches.weight",                     "embeddings.patch_embeddings.projection.weight",      OutputFirst),
    ("embeddings.patches.bias",                       "embeddings.patch_embeddings.projection.bias",        OutputFirst),
    ("embeddings.positions",                          "embeddings.position_embeddings",                     OutputFirst),
    ("layers.{}.attention_norm.gamma",                "encoder.layer.{}.layernorm_before.weight",           OutputFirst),
    ("layers.{}.attention_norm.gamma",                "layers.{}.layernorm_before.weight",                  OutputFirst),
    ("layers.{}.attention_norm.beta",                 "encoder.layer.{}.layernorm_before.bias",             OutputFirst),
    ("layers.{}.attention_norm.beta",                 "layers.{}.layernorm_before.bias",                    OutputFirst),
    ("layers.{}.attention.projections.query.weight",  "encoder.layer.{}.attention.attention.query.weight",  OutputLast),
    ("layers.{}.attention.projections.query.weight",  "layers.{}.attention.q_proj.weight",                  OutputLast),
    ("layers.{}.attention.projections.query.bias",    "encoder.layer.{}.attention.attention.query.bias",    OutputFirst),
    ("layers.{}.attention.projections.query.bias",    "layers.{}.attention.q_proj.bias",                    OutputFirst),
    ("layers.{}.attention.projections.key.weight",    "encoder.layer.{}.attention.attention.key.weight",    OutputLast),
    ("layers.{}.attention.projections.key.weight",    "layers.{}.attention.k_proj.weight",                  OutputLast),
    ("layers.{}.attention.projections.key.bias",      "encoder.layer.{}.attention.attention.key.bias",      OutputFirst),
    ("layers.{}.attention.projections.key.bias",      "layers.{}.attention.k_proj.bias",                    OutputFirst),
    ("layers.{}.attention.projections.value.weight",  "encoder.layer.{}.attention.attention.value.weight",  OutputLast),
    ("layers.{}.attention.projections.value.weight",  "layers.{}.attention.v_proj.weight",                  OutputLast),
    ("layers.{}.attention.projections.value.bias",    "encoder.layer.{}.attention.attention.value.bias",    OutputFirst),
    ("layers.{}.attention.projections.value.bias",    "layers.{}.attention.v_proj.bias",                    OutputFirst),
    ("layers.{}.attention.projections.output.weight", "encoder.layer.{}.attention.output.dense.weight",     OutputLast),
    ("layers.{}.attention.projections.output.weight", "layers.{}.attention.o_proj.weight",                  OutputLast),
    ("layers.{}.attention.projections.output.bias",   "encoder.layer.{}.attention.output.dense.bias",       OutputFirst),
    ("layers.{}.attention.projections.output.bias",   "layers.{}.attention.o_proj.bias",                    OutputFirst),
    ("layers.{}.feed_forward_norm.gamma",             "encoder.layer.{}.layernorm_after.weight",            OutputFirst),
    ("layers.{}.feed_forward_norm.gamma",             "layers.{}.layernorm_after.weight",                   OutputFirst),
    ("layers.{}.feed_forward_norm.beta",              "encoder.layer.{}.layernorm_after.bias",              OutputFirst),
    ("layers.{}.feed_forward_norm.beta",              "layers.{}.layernorm_after.bias",                     OutputFirst),
    ("layers.{}.feed_forward.input.weight",           "encoder.layer.{}.intermediate.dense.weight",         OutputLast),
    ("layers.{}.feed_forward.input.weight",           "layers.{}.mlp.fc1.weight",                           OutputLast),
    ("layers.{}.feed_forward.input.bias",             "encoder.layer.{}.intermediate.dense.bias",           OutputFirst),
    ("layers.{}.feed_forward.input.bias",             "layers.{}.mlp.fc1.bias",                             OutputFirst),
    ("layers.{}.feed_forward.output.weight",          "encoder.layer.{}.output.dense.weight",               OutputLast),
    ("layers.{}.feed_forward.output.weight",          "layers.{}.mlp.fc2.weight",                           OutputLast),
    ("layers.{}.feed_forward.output.bias",            "encoder.layer.{}.output.dense.bias",                 OutputFirst),
    ("layers.{}.feed_forward.output.bias",            "layers.{}.mlp.fc2.bias",                             OutputFirst),
    ("norm.gamma",                                    "layernorm.weight",                                   OutputFirst),
    ("norm.beta",                                     "layernorm.bias",                                     OutputFirst),
];
