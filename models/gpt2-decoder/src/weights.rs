use packed_linear::Layout::{self, Conv1d, OutputFirst};

/// Every weight: Burn's path of the parameter in [`Gpt2Decoder`](crate::Gpt2Decoder), its name in a Hugging Face
/// checkpoint of a `GPT2LMHeadModel` with cross-attention, and the layout of the parameter. `{}` stands for the index
/// of the layer. `head` exists only if the configuration says so.
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str, Layout)] = &[
    ("embeddings.tokens.weight",                            "transformer.wte.weight",                       OutputFirst),
    ("embeddings.positions",                                "transformer.wpe.weight",                       OutputFirst),
    ("layers.{}.self_attention_norm.gamma",                 "transformer.h.{}.ln_1.weight",                 OutputFirst),
    ("layers.{}.self_attention_norm.beta",                  "transformer.h.{}.ln_1.bias",                   OutputFirst),
    ("layers.{}.self_attention.projections.fused.weight",   "transformer.h.{}.attn.c_attn.weight",          Conv1d),
    ("layers.{}.self_attention.projections.fused.bias",     "transformer.h.{}.attn.c_attn.bias",            OutputFirst),
    ("layers.{}.self_attention.projections.output.weight",  "transformer.h.{}.attn.c_proj.weight",          Conv1d),
    ("layers.{}.self_attention.projections.output.bias",    "transformer.h.{}.attn.c_proj.bias",            OutputFirst),
    ("layers.{}.cross_attention_norm.gamma",                "transformer.h.{}.ln_cross_attn.weight",        OutputFirst),
    ("layers.{}.cross_attention_norm.beta",                 "transformer.h.{}.ln_cross_attn.bias",          OutputFirst),
    ("layers.{}.cross_attention.projections.query.weight",  "transformer.h.{}.crossattention.q_attn.weight", Conv1d),
    ("layers.{}.cross_attention.projections.query.bias",    "transformer.h.{}.crossattention.q_attn.bias",  OutputFirst),
    ("layers.{}.cross_attention.projections.fused.weight",  "transformer.h.{}.crossattention.c_attn.weight", Conv1d),
    ("layers.{}.cross_attention.projections.fused.bias",    "transformer.h.{}.crossattention.c_attn.bias",  OutputFirst),
    ("layers.{}.cross_attention.projections.output.weight", "transformer.h.{}.crossattention.c_proj.weight", Conv1d),
    ("layers.{}.cross_attention.projections.output.bias",   "transformer.h.{}.crossattention.c_proj.bias",  OutputFirst),
    ("layers.{}.feed_forward_norm.gamma",                   "transformer.h.{}.ln_2.weight",                 OutputFirst),
    ("layers.{}.feed_forward_norm.beta",                    "transformer.h.{}.ln_2.bias",                   OutputFirst),
    ("layers.{}.feed_forward.input.weight",                 "transformer.h.{}.mlp.c_fc.weight",             Conv1d),
    ("layers.{}.feed_forward.input.bias",                   "transformer.h.{}.mlp.c_fc.bias",               OutputFirst),
    ("layers.{}.feed_forward.output.weight",                "transformer.h.{}.mlp.c_proj.weight",           Conv1d),
    ("layers.{}.feed_forward.output.bias",                  "transformer.h.{}.mlp.c_proj.bias",             OutputFirst),
    ("norm.gamma",                                          "transformer.ln_f.weight",                      OutputFirst),
    ("norm.beta",                                           "transformer.ln_f.bias",                        OutputFirst),
    ("head.weight",                                         "lm_head.weight",                               OutputFirst),
];

/// A further name of a weight in the checkpoint of a model whose head shares the table of token embeddings, in the form
/// of [`WEIGHTS`]. Such a checkpoint may have the table under the name of the head only.
pub const TIED_WEIGHTS: &[(&str, &str, Layout)] =
    &[("embeddings.tokens.weight", "lm_head.weight", OutputFirst)];
