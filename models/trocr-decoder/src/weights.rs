use packed_linear::Layout::{self, OutputFirst, OutputLast};

/// Every weight: Burn's path of the parameter in [`TrocrDecoder`](crate::TrocrDecoder), its name in a Hugging Face
/// checkpoint of a `TrOCRForCausalLM`, and the layout of the parameter. `{}` stands for the index of the layer. `head`,
/// `embeddings.norm` and `embeddings.positions` exist only if the configuration says so.
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str, Layout)] = &[
    ("embeddings.tokens.weight",                            "model.decoder.embed_tokens.weight",                      OutputFirst),
    ("embeddings.positions",                                "model.decoder.embed_positions.weight",                   OutputFirst),
    ("embeddings.norm.gamma",                               "model.decoder.layernorm_embedding.weight",               OutputFirst),
    ("embeddings.norm.beta",                                "model.decoder.layernorm_embedding.bias",                 OutputFirst),
    ("layers.{}.self_attention.projections.query.weight",   "model.decoder.layers.{}.self_attn.q_proj.weight",        OutputLast),
    ("layers.{}.self_attention.projections.query.bias",     "model.decoder.layers.{}.self_attn.q_proj.bias",          OutputFirst),
    ("layers.{}.self_attention.projections.key.weight",     "model.decoder.layers.{}.self_attn.k_proj.weight",        OutputLast),
    ("layers.{}.self_attention.projections.key.bias",       "model.decoder.layers.{}.self_attn.k_proj.bias",          OutputFirst),
    ("layers.{}.self_attention.projections.value.weight",   "model.decoder.layers.{}.self_attn.v_proj.weight",        OutputLast),
    ("layers.{}.self_attention.projections.value.bias",     "model.decoder.layers.{}.self_attn.v_proj.bias",          OutputFirst),
    ("layers.{}.self_attention.projections.output.weight",  "model.decoder.layers.{}.self_attn.out_proj.weight",      OutputLast),
    ("layers.{}.self_attention.projections.output.bias",    "model.decoder.layers.{}.self_attn.out_proj.bias",        OutputFirst),
    ("layers.{}.self_attention_norm.gamma",                 "model.decoder.layers.{}.self_attn_layer_norm.weight",    OutputFirst),
    ("layers.{}.self_attention_norm.beta",                  "model.decoder.layers.{}.self_attn_layer_norm.bias",      OutputFirst),
    ("layers.{}.cross_attention.projections.query.weight",  "model.decoder.layers.{}.encoder_attn.q_proj.weight",     OutputLast),
    ("layers.{}.cross_attention.projections.query.bias",    "model.decoder.layers.{}.encoder_attn.q_proj.bias",       OutputFirst),
    ("layers.{}.cross_attention.projections.key.weight",    "model.decoder.layers.{}.encoder_attn.k_proj.weight",     OutputLast),
    ("layers.{}.cross_attention.projections.key.bias",      "model.decoder.layers.{}.encoder_attn.k_proj.bias",       OutputFirst),
    ("layers.{}.cross_attention.projections.value.weight",  "model.decoder.layers.{}.encoder_attn.v_proj.weight",     OutputLast),
    ("layers.{}.cross_attention.projections.value.bias",    "model.decoder.layers.{}.encoder_attn.v_proj.bias",       OutputFirst),
    ("layers.{}.cross_attention.projections.output.weight", "model.decoder.layers.{}.encoder_attn.out_proj.weight",   OutputLast),
    ("layers.{}.cross_attention.projections.output.bias",   "model.decoder.layers.{}.encoder_attn.out_proj.bias",     OutputFirst),
    ("layers.{}.cross_attention_norm.gamma",                "model.decoder.layers.{}.encoder_attn_layer_norm.weight", OutputFirst),
    ("layers.{}.cross_attention_norm.beta",                 "model.decoder.layers.{}.encoder_attn_layer_norm.bias",   OutputFirst),
    ("layers.{}.feed_forward.input.weight",                 "model.decoder.layers.{}.fc1.weight",                     OutputLast),
    ("layers.{}.feed_forward.input.bias",                   "model.decoder.layers.{}.fc1.bias",                       OutputFirst),
    ("layers.{}.feed_forward.output.weight",                "model.decoder.layers.{}.fc2.weight",                     OutputLast),
    ("layers.{}.feed_forward.output.bias",                  "model.decoder.layers.{}.fc2.bias",                       OutputFirst),
    ("layers.{}.feed_forward_norm.gamma",                   "model.decoder.layers.{}.final_layer_norm.weight",        OutputFirst),
    ("layers.{}.feed_forward_norm.beta",                    "model.decoder.layers.{}.final_layer_norm.bias",          OutputFirst),
    ("head.weight",                                         "output_projection.weight",                               OutputFirst),
];

/// A further name of a weight in the checkpoint of a model whose head shares the table of token embeddings, in the form
/// of [`WEIGHTS`]. Such a checkpoint may have the table under the name of the head only.
pub const TIED_WEIGHTS: &[(&str, &str, Layout)] = &[(
    "embeddings.tokens.weight",
    "output_projection.weight",
    OutputFirst,
)];
