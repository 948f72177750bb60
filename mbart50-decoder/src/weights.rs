/// Every weight: Burn's path of the parameter in [`MBartDecoder`](crate::MBartDecoder), and its
/// name in a Hugging Face checkpoint of an `MBartForCausalLM`. `{}` stands for the layer's number.
///
/// Where a parameter comes twice, checkpoints have it under one name or the other. `head` and
/// `logits_bias` are there only if the configuration asks for them. A linear layer's
/// weight is `[output, input]` in the checkpoint and `[input, output]` here, and the logits' bias
/// `[1, vocabulary]` there and `[vocabulary]` here; all else has one shape.
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str)] = &[
    ("embeddings.tokens.weight",                   "model.decoder.embed_tokens.weight"),
    ("embeddings.tokens.weight",                   "model.shared.weight"), // of a whole mBART
    ("embeddings.positions",                       "model.decoder.embed_positions.weight"),
    ("embeddings.norm.gamma",                      "model.decoder.layernorm_embedding.weight"),
    ("embeddings.norm.beta",                       "model.decoder.layernorm_embedding.bias"),
    ("layers.{}.self_attention_norm.gamma",        "model.decoder.layers.{}.self_attn_layer_norm.weight"),
    ("layers.{}.self_attention_norm.beta",         "model.decoder.layers.{}.self_attn_layer_norm.bias"),
    ("layers.{}.self_attention.projections.query.weight",   "model.decoder.layers.{}.self_attn.q_proj.weight"),
    ("layers.{}.self_attention.projections.query.bias",     "model.decoder.layers.{}.self_attn.q_proj.bias"),
    ("layers.{}.self_attention.projections.key.weight",     "model.decoder.layers.{}.self_attn.k_proj.weight"),
    ("layers.{}.self_attention.projections.key.bias",       "model.decoder.layers.{}.self_attn.k_proj.bias"),
    ("layers.{}.self_attention.projections.value.weight",   "model.decoder.layers.{}.self_attn.v_proj.weight"),
    ("layers.{}.self_attention.projections.value.bias",     "model.decoder.layers.{}.self_attn.v_proj.bias"),
    ("layers.{}.self_attention.projections.output.weight",  "model.decoder.layers.{}.self_attn.out_proj.weight"),
    ("layers.{}.self_attention.projections.output.bias",    "model.decoder.layers.{}.self_attn.out_proj.bias"),
    ("layers.{}.cross_attention_norm.gamma",       "model.decoder.layers.{}.encoder_attn_layer_norm.weight"),
    ("layers.{}.cross_attention_norm.beta",        "model.decoder.layers.{}.encoder_attn_layer_norm.bias"),
    ("layers.{}.cross_attention.projections.query.weight",  "model.decoder.layers.{}.encoder_attn.q_proj.weight"),
    ("layers.{}.cross_attention.projections.query.bias",    "model.decoder.layers.{}.encoder_attn.q_proj.bias"),
    ("layers.{}.cross_attention.projections.key.weight",    "model.decoder.layers.{}.encoder_attn.k_proj.weight"),
    ("layers.{}.cross_attention.projections.key.bias",      "model.decoder.layers.{}.encoder_attn.k_proj.bias"),
    ("layers.{}.cross_attention.projections.value.weight",  "model.decoder.layers.{}.encoder_attn.v_proj.weight"),
    ("layers.{}.cross_attention.projections.value.bias",    "model.decoder.layers.{}.encoder_attn.v_proj.bias"),
    ("layers.{}.cross_attention.projections.output.weight", "model.decoder.layers.{}.encoder_attn.out_proj.weight"),
    ("layers.{}.cross_attention.projections.output.bias",   "model.decoder.layers.{}.encoder_attn.out_proj.bias"),
    ("layers.{}.feed_forward_norm.gamma",          "model.decoder.layers.{}.final_layer_norm.weight"),
    ("layers.{}.feed_forward_norm.beta",           "model.decoder.layers.{}.final_layer_norm.bias"),
    ("layers.{}.feed_forward.input.weight",        "model.decoder.layers.{}.fc1.weight"),
    ("layers.{}.feed_forward.input.bias",          "model.decoder.layers.{}.fc1.bias"),
    ("layers.{}.feed_forward.output.weight",       "model.decoder.layers.{}.fc2.weight"),
    ("layers.{}.feed_forward.output.bias",         "model.decoder.layers.{}.fc2.bias"),
    ("norm.gamma",                                 "model.decoder.layer_norm.weight"),
    ("norm.beta",                                  "model.decoder.layer_norm.bias"),
    ("head.weight",                                "lm_head.weight"),
    ("logits_bias",                                "final_logits_bias"),
];
