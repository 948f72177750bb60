/// Every weight: Burn's path of the parameter in [`ClipVisionModel`](crate::ClipVisionModel), and
/// its name in a Hugging Face checkpoint. `{}` stands for the layer's number.
///
/// Transformers 5 writes these names; 4 put `vision_model.` in front of each. A linear layer's
/// weight is `[output, input]` in the checkpoint and `[input, output]` here; all else has one shape.
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str)] = &[
    ("embeddings.class_embedding",             "embeddings.class_embedding"),
    ("embeddings.patch_embedding.weight",      "embeddings.patch_embedding.weight"),
    ("embeddings.position_embedding",          "embeddings.position_embedding.weight"),
    ("pre_norm.gamma",                         "pre_layrnorm.weight"), // sic
    ("pre_norm.beta",                          "pre_layrnorm.bias"),
    ("layers.{}.attention_norm.gamma",         "encoder.layers.{}.layer_norm1.weight"),
    ("layers.{}.attention_norm.beta",          "encoder.layers.{}.layer_norm1.bias"),
    ("layers.{}.attention.query.weight",       "encoder.layers.{}.self_attn.q_proj.weight"),
    ("layers.{}.attention.query.bias",         "encoder.layers.{}.self_attn.q_proj.bias"),
    ("layers.{}.attention.key.weight",         "encoder.layers.{}.self_attn.k_proj.weight"),
    ("layers.{}.attention.key.bias",           "encoder.layers.{}.self_attn.k_proj.bias"),
    ("layers.{}.attention.value.weight",       "encoder.layers.{}.self_attn.v_proj.weight"),
    ("layers.{}.attention.value.bias",         "encoder.layers.{}.self_attn.v_proj.bias"),
    ("layers.{}.attention.output.weight",      "encoder.layers.{}.self_attn.out_proj.weight"),
    ("layers.{}.attention.output.bias",        "encoder.layers.{}.self_attn.out_proj.bias"),
    ("layers.{}.feed_forward_norm.gamma",      "encoder.layers.{}.layer_norm2.weight"),
    ("layers.{}.feed_forward_norm.beta",       "encoder.layers.{}.layer_norm2.bias"),
    ("layers.{}.feed_forward.input.weight",    "encoder.layers.{}.mlp.fc1.weight"),
    ("layers.{}.feed_forward.input.bias",      "encoder.layers.{}.mlp.fc1.bias"),
    ("layers.{}.feed_forward.output.weight",   "encoder.layers.{}.mlp.fc2.weight"),
    ("layers.{}.feed_forward.output.bias",     "encoder.layers.{}.mlp.fc2.bias"),
    ("post_norm.gamma",                        "post_layernorm.weight"),
    ("post_norm.beta",                         "post_layernorm.bias"),
];
