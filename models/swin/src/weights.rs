use packed_linear::Layout::{self, OutputFirst, OutputLast};

/// Every weight: Burn's path of the parameter in [`SwinModel`](crate::SwinModel), its name in a Hugging Face
/// checkpoint, and the layout of the parameter. `{}` stands for the index of the stage, then that of the layer.
///
/// Transformers 4 and 5 save the first name of a parameter. The second, if it has one, is what transformers 5 calls
/// it in a Swin while it runs.
#[rustfmt::skip]
pub const WEIGHTS: &[(&str, &str, Layout)] = &[
    ("embeddings.patches.weight",                               "embeddings.patch_embeddings.projection.weight",                                             OutputFirst),
    ("embeddings.patches.bias",                                 "embeddings.patch_embeddings.projection.bias",                                               OutputFirst),
    ("embeddings.norm.gamma",                                   "embeddings.norm.weight",                                                                    OutputFirst),
    ("embeddings.norm.beta",                                    "embeddings.norm.bias",                                                                      OutputFirst),
    ("embeddings.positions",                                    "embeddings.position_embeddings",                                                            OutputFirst),
    ("stages.{}.layers.{}.attention_norm.gamma",                "encoder.layers.{}.blocks.{}.layernorm_before.weight",                                       OutputFirst),
    ("stages.{}.layers.{}.attention_norm.beta",                 "encoder.layers.{}.blocks.{}.layernorm_before.bias",                                         OutputFirst),
    ("stages.{}.layers.{}.relative_positions.table",            "encoder.layers.{}.blocks.{}.attention.self.relative_position_bias_table",                   OutputFirst),
    ("stages.{}.layers.{}.relative_positions.table",            "encoder.layers.{}.blocks.{}.attention.relative_position_bias.relative_position_bias_table", OutputFirst),
    ("stages.{}.layers.{}.attention.projections.query.weight",  "encoder.layers.{}.blocks.{}.attention.self.query.weight",                                   OutputLast),
    ("stages.{}.layers.{}.attention.projections.query.weight",  "encoder.layers.{}.blocks.{}.attention.q_proj.weight",                                       OutputLast),
    ("stages.{}.layers.{}.attention.projections.query.bias",    "encoder.layers.{}.blocks.{}.attention.self.query.bias",                                     OutputFirst),
    ("stages.{}.layers.{}.attention.projections.query.bias",    "encoder.layers.{}.blocks.{}.attention.q_proj.bias",                                         OutputFirst),
    ("stages.{}.layers.{}.attention.projections.key.weight",    "encoder.layers.{}.blocks.{}.attention.self.key.weight",                                     OutputLast),
    ("stages.{}.layers.{}.attention.projections.key.weight",    "encoder.layers.{}.blocks.{}.attention.k_proj.weight",                                       OutputLast),
    ("stages.{}.layers.{}.attention.projections.key.bias",      "encoder.layers.{}.blocks.{}.attention.self.key.bias",                                       OutputFirst),
    ("stages.{}.layers.{}.attention.projections.key.bias",      "encoder.layers.{}.blocks.{}.attention.k_proj.bias",                                         OutputFirst),
    ("stages.{}.layers.{}.attention.projections.value.weight",  "encoder.layers.{}.blocks.{}.attention.self.value.weight",                                   OutputLast),
    ("stages.{}.layers.{}.attention.projections.value.weight",  "encoder.layers.{}.blocks.{}.attention.v_proj.weight",                                       OutputLast),
    ("stages.{}.layers.{}.attention.projections.value.bias",    "encoder.layers.{}.blocks.{}.attention.self.value.bias",                                     OutputFirst),
    ("stages.{}.layers.{}.attention.projections.value.bias",    "encoder.layers.{}.blocks.{}.attention.v_proj.bias",                                         OutputFirst),
    ("stages.{}.layers.{}.attention.projections.output.weight", "encoder.layers.{}.blocks.{}.attention.output.dense.weight",                                 OutputLast),
    ("stages.{}.layers.{}.attention.projections.output.weight", "encoder.layers.{}.blocks.{}.attention.o_proj.weight",                                       OutputLast),
    ("stages.{}.layers.{}.attention.projections.output.bias",   "encoder.layers.{}.blocks.{}.attention.output.dense.bias",                                   OutputFirst),
    ("stages.{}.layers.{}.attention.projections.output.bias",   "encoder.layers.{}.blocks.{}.attention.o_proj.bias",                                         OutputFirst),
    ("stages.{}.layers.{}.feed_forward_norm.gamma",             "encoder.layers.{}.blocks.{}.layernorm_after.weight",                                        OutputFirst),
    ("stages.{}.layers.{}.feed_forward_norm.beta",              "encoder.layers.{}.blocks.{}.layernorm_after.bias",                                          OutputFirst),
    ("stages.{}.layers.{}.feed_forward.input.weight",           "encoder.layers.{}.blocks.{}.intermediate.dense.weight",                                     OutputLast),
    ("stages.{}.layers.{}.feed_forward.input.weight",           "encoder.layers.{}.blocks.{}.mlp.fc1.weight",                                                OutputLast),
    ("stages.{}.layers.{}.feed_forward.input.bias",             "encoder.layers.{}.blocks.{}.intermediate.dense.bias",                                       OutputFirst),
    ("stages.{}.layers.{}.feed_forward.input.bias",             "encoder.layers.{}.blocks.{}.mlp.fc1.bias",                                                  OutputFirst),
    ("stages.{}.layers.{}.feed_forward.output.weight",          "encoder.layers.{}.blocks.{}.output.dense.weight",                                           OutputLast),
    ("stages.{}.layers.{}.feed_forward.output.weight",          "encoder.layers.{}.blocks.{}.mlp.fc2.weight",                                                OutputLast),
    ("stages.{}.layers.{}.feed_forward.output.bias",            "encoder.layers.{}.blocks.{}.output.dense.bias",                                             OutputFirst),
    ("stages.{}.layers.{}.feed_forward.output.bias",            "encoder.layers.{}.blocks.{}.mlp.fc2.bias",                                                  OutputFirst),
    ("stages.{}.merging.norm.gamma",                            "encoder.layers.{}.downsample.norm.weight",                                                  OutputFirst),
    ("stages.{}.merging.norm.beta",                             "encoder.layers.{}.downsample.norm.bias",                                                    OutputFirst),
    ("stages.{}.merging.reduction.weight",                      "encoder.layers.{}.downsample.reduction.weight",                                             OutputLast),
    ("norm.gamma",                                              "layernorm.weight",                                                                          OutputFirst),
    ("norm.beta",                                               "layernorm.bias",                                                                            OutputFirst),
];
