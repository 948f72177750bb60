use packed_linear::Layout::{self, OutputFirst, OutputLast};

/// Every weight: Burn's path of the parameter in [`Marian`](crate::Marian), its name in a Hugging Face checkpoint of a
/// `MarianMTModel`, and the layout of the parameter. `{}` stands for the index of the layer.
///
/// `encoder.embeddings` exists only if the two languages have separate tables, `decoder.head` only if it is not tied.
/// For further names of the tables see [`SHARED_WEIGHTS`] and [`TIED_WEIGHTS`].
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str, Layout)] = &[
    ("encoder.embeddings.weight",                                   "model.encoder.embed_tokens.weight",                      OutputFirst),
    ("encoder.layers.{}.attention.projections.query.weight",        "model.encoder.layers.{}.self_attn.q_proj.weight",        OutputLast),
    ("encoder.layers.{}.attention.projections.query.bias",          "model.encoder.layers.{}.self_attn.q_proj.bias",          OutputFirst),
    ("encoder.layers.{}.attention.projections.key.weight",          "model.encoder.layers.{}.self_attn.k_proj.weight",        OutputLast),
    ("encoder.layers.{}.attention.projections.key.bias",            "model.encoder.layers.{}.self_attn.k_proj.bias",          OutputFirst),
    ("encoder.layers.{}.attention.projections.value.weight",        "model.encoder.layers.{}.self_attn.v_proj.weight",        OutputLast),
    ("encoder.layers.{}.attention.projections.value.bias",          "model.encoder.layers.{}.self_attn.v_proj.bias",          OutputFirst),
    ("encoder.layers.{}.attention.projections.output.weight",       "model.encoder.layers.{}.self_attn.out_proj.weight",      OutputLast),
    ("encoder.layers.{}.attention.projections.output.bias",         "model.encoder.layers.{}.self_attn.out_proj.bias",        OutputFirst),
    ("encoder.layers.{}.attention_norm.gamma",                      "model.encoder.layers.{}.self_attn_layer_norm.weight",    OutputFirst),
    ("encoder.layers.{}.attention_norm.beta",                       "model.encoder.layers.{}.self_attn_layer_norm.bias",      OutputFirst),
    ("encoder.layers.{}.feed_forward.input.weight",                 "model.encoder.layers.{}.fc1.weight",                     OutputLast),
    ("encoder.layers.{}.feed_forward.input.bias",                   "model.encoder.layers.{}.fc1.bias",                       OutputFirst),
    ("encoder.layers.{}.feed_forward.output.weight",                "model.encoder.layers.{}.fc2.weight",                     OutputLast),
    ("encoder.layers.{}.feed_forward.output.bias",                  "model.encoder.layers.{}.fc2.bias",                       OutputFirst),
    ("encoder.layers.{}.feed_forward_norm.gamma",                   "model.encoder.layers.{}.final_layer_norm.weight",        OutputFirst),
    ("encoder.layers.{}.feed_forward_norm.beta",                    "model.encoder.layers.{}.final_layer_norm.bias",          OutputFirst),
    ("decoder.embeddings.weight",                                   "model.decoder.embed_tokens.weight",                      OutputFirst),
    ("decoder.layers.{}.self_attention.projections.query.weight",   "model.decoder.layers.{}.self_attn.q_proj.weight",        OutputLast),
    ("decoder.layers.{}.self_attention.projections.query.bias",     "model.decoder.layers.{}.self_attn.q_proj.bias",          OutputFirst),
    ("decoder.layers.{}.self_attention.projections.key.weight",     "model.decoder.layers.{}.self_attn.k_proj.weight",        OutputLast),
    ("decoder.layers.{}.self_attention.projections.key.bias",       "model.decoder.layers.{}.self_attn.k_proj.bias",          OutputFirst),
    ("decoder.layers.{}.self_attention.projections.value.weight",   "model.decoder.layers.{}.self_attn.v_proj.weight",        OutputLast),
    ("decoder.layers.{}.self_attention.projections.value.bias",     "model.decoder.layers.{}.self_attn.v_proj.bias",          OutputFirst),
    ("decoder.layers.{}.self_attention.projections.output.weight",  "model.decoder.layers.{}.self_attn.out_proj.weight",      OutputLast),
    ("decoder.layers.{}.self_attention.projections.output.bias",    "model.decoder.layers.{}.self_attn.out_proj.bias",        OutputFirst),
    ("decoder.layers.{}.self_attention_norm.gamma",                 "model.decoder.layers.{}.self_attn_layer_norm.weight",    OutputFirst),
    ("decoder.layers.{}.self_attention_norm.beta",                  "model.decoder.layers.{}.self_attn_layer_norm.bias",      OutputFirst),
    ("decoder.layers.{}.cross_attention.projections.query.weight",  "model.decoder.layers.{}.encoder_attn.q_proj.weight",     OutputLast),
    ("decoder.layers.{}.cross_attention.projections.query.bias",    "model.decoder.layers.{}.encoder_attn.q_proj.bias",       OutputFirst),
    ("decoder.layers.{}.cross_attention.projections.key.weight",    "model.decoder.layers.{}.encoder_attn.k_proj.weight",     OutputLast),
    ("decoder.layers.{}.cross_attention.projections.key.bias",      "model.decoder.layers.{}.encoder_attn.k_proj.bias",       OutputFirst),
    ("decoder.layers.{}.cross_attention.projections.value.weight",  "model.decoder.layers.{}.encoder_attn.v_proj.weight",     OutputLast),
    ("decoder.layers.{}.cross_attention.projections.value.bias",    "model.decoder.layers.{}.encoder_attn.v_proj.bias",       OutputFirst),
    ("decoder.layers.{}.cross_attention.projections.output.weight", "model.decoder.layers.{}.encoder_attn.out_proj.weight",   OutputLast),
    ("decoder.layers.{}.cross_attention.projections.output.bias",   "model.decoder.layers.{}.encoder_attn.out_proj.bias",     OutputFirst),
    ("decoder.layers.{}.cross_attention_norm.gamma",                "model.decoder.layers.{}.encoder_attn_layer_norm.weight", OutputFirst),
    ("decoder.layers.{}.cross_attention_norm.beta",                 "model.decoder.layers.{}.encoder_attn_layer_norm.bias",   OutputFirst),
    ("decoder.layers.{}.feed_forward.input.weight",                 "model.decoder.layers.{}.fc1.weight",                     OutputLast),
    ("decoder.layers.{}.feed_forward.input.bias",                   "model.decoder.layers.{}.fc1.bias",                       OutputFirst),
    ("decoder.layers.{}.feed_forward.output.weight",                "model.decoder.layers.{}.fc2.weight",                     OutputLast),
    ("decoder.layers.{}.feed_forward.output.bias",                  "model.decoder.layers.{}.fc2.bias",                       OutputFirst),
    ("decoder.layers.{}.feed_forward_norm.gamma",                   "model.decoder.layers.{}.final_layer_norm.weight",        OutputFirst),
    ("decoder.layers.{}.feed_forward_norm.beta",                    "model.decoder.layers.{}.final_layer_norm.bias",          OutputFirst),
    ("decoder.head.weight",                                         "lm_head.weight",                                         OutputFirst),
    ("decoder.logits_bias",                                         "final_logits_bias",                                      OutputFirst),
];

/// The name of the table of token embeddings in the checkpoint of a model whose languages share it, in the form of
/// [`WEIGHTS`]. Such a model is saved under this name, so it comes before those.
pub const SHARED_WEIGHTS: &[(&str, &str, Layout)] = &[
    (
        "decoder.embeddings.weight",
        "model.shared.weight",
        OutputFirst,
    ),
    (
        "decoder.embeddings.weight",
        "model.encoder.embed_tokens.weight",
        OutputFirst,
    ),
];

/// A further name of both tables in the checkpoint of a model whose languages have separate ones, in the form of
/// [`WEIGHTS`]: transformers 4 saved tables that begin as copies once.
pub const SEPARATE_WEIGHTS: &[(&str, &str, Layout)] = &[
    (
        "encoder.embeddings.weight",
        "model.shared.weight",
        OutputFirst,
    ),
    (
        "decoder.embeddings.weight",
        "model.shared.weight",
        OutputFirst,
    ),
];

/// A further name of the decoder's table in the checkpoint of a model whose head shares it, in the form of [`WEIGHTS`].
pub const TIED_WEIGHTS: &[(&str, &str, Layout)] =
    &[("decoder.embeddings.weight", "lm_head.weight", OutputFirst)];

/// Names that a checkpoint may have although the model has no parameters for them: tables of positions, which are
/// computed, and second copies of a table that is shared. A `*` at the beginning or the end matches any text.
pub const IGNORED: &[&str] = &[
    "model.encoder.embed_positions.weight",
    "model.decoder.embed_positions.weight",
    "model.shared.weight",
    "model.encoder.embed_tokens.weight",
    "model.decoder.embed_tokens.weight",
    "lm_head.weight",
];
