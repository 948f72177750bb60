use packed_linear::Layout::{self, OutputFirst, OutputLast};

/// Every weight: Burn's path of the parameter in [`ClipVisionModel`](crate::ClipVisionModel), its name in
/// a Hugging Face checkpoint, and the layout of the parameter. `{}` stands for the index of the layer.
///
/// Transformers 5 saves these names; transformers 4 adds the prefix `vision_model.` to each.
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str, Layout)] = &[
    ("embeddings.class_embedding",                    "embeddings.class_embedding",                  OutputFirst),
    ("embeddings.patch_embedding.weight",             "embeddings.patch_embedding.weight",           OutputFirst),
    ("embeddings.position_embedding",                 "embeddings.position_embedding.weight",        OutputFirst),
    ("pre_norm.gamma",                                "pre_layrnorm.weight",                         OutputFirst), // sic
    ("pre_norm.beta",                                 "pre_layrnorm.bias",                           OutputFirst),
    ("layers.{}.attention_norm.gamma",                "encoder.layers.{}.layer_norm1.weight",        OutputFirst),
    ("layers.{}.attention_norm.beta",                 "encoder.layers.{}.layer_norm1.bias",          OutputFirst),
    ("layers.{}.attention.projections.query.weight",  "encoder.layers.{}.self_attn.q_proj.weight",   OutputLast),
    ("layers.{}.attention.projections.query.bias",    "encoder.layers.{}.self_attn.q_proj.bias",     OutputFirst),
    ("layers.{}.attention.projections.key.weight",    "encoder.layers.{}.self_attn.k_proj.weight",   OutputLast),
    ("layers.{}.attention.projections.key.bias",      "encoder.layers.{}.self_attn.k_proj.bias",     OutputFirst),
    ("layers.{}.attention.projections.value.weight",  "encoder.layers.{}.self_attn.v_proj.weight",   OutputLast),
    ("layers.{}.attention.projections.value.bias",    "encoder.layers.{}.self_attn.v_proj.bias",     OutputFirst),
    ("layers.{}.attention.projections.output.weight", "encoder.layers.{}.self_attn.out_proj.weight", OutputLast),
    ("layers.{}.attention.projections.output.bias",   "encoder.layers.{}.self_attn.out_proj.bias",   OutputFirst),
    ("layers.{}.feed_forward_norm.gamma",             "encoder.layers.{}.layer_norm2.weight",        OutputFirst),
    ("layers.{}.feed_forward_norm.beta",              "encoder.layers.{}.layer_norm2.bias",          OutputFirst),
    ("layers.{}.feed_forward.input.weight",           "encoder.layers.{}.mlp.fc1.weight",            OutputLast),
    ("layers.{}.feed_forward.input.bias",             "encoder.layers.{}.mlp.fc1.bias",              OutputFirst),
    ("layers.{}.feed_forward.output.weight",          "encoder.layers.{}.mlp.fc2.weight",            OutputLast),
    ("layers.{}.feed_forward.output.bias",            "encoder.layers.{}.mlp.fc2.bias",              OutputFirst),
    ("post_norm.gamma",                               "post_layernorm.weight",                       OutputFirst),
    ("post_norm.beta",                                "post_layernorm.bias",                         OutputFirst),
];
