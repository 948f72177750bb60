use packed_linear::Layout::{self, OutputFirst, OutputLast};

/// A table of the names that begin with the model's, which BERT and RoBERTa have in common, and of the others.
#[rustfmt::skip]
macro_rules! with_body {
    ($model:literal, $($others:tt)*) => {
        &[
            ("embeddings.tokens.weight",                            concat!($model, ".embeddings.word_embeddings.weight"),                       OutputFirst),
            ("embeddings.positions",                                concat!($model, ".embeddings.position_embeddings.weight"),                   OutputFirst),
            ("embeddings.types",                                    concat!($model, ".embeddings.token_type_embeddings.weight"),                 OutputFirst),
            ("embeddings.norm.gamma",                               concat!($model, ".embeddings.LayerNorm.weight"),                             OutputFirst),
            ("embeddings.norm.beta",                                concat!($model, ".embeddings.LayerNorm.bias"),                               OutputFirst),
            ("layers.{}.self_attention.projections.query.weight",   concat!($model, ".encoder.layer.{}.attention.self.query.weight"),            OutputLast),
            ("layers.{}.self_attention.projections.query.bias",     concat!($model, ".encoder.layer.{}.attention.self.query.bias"),              OutputFirst),
            ("layers.{}.self_attention.projections.key.weight",     concat!($model, ".encoder.layer.{}.attention.self.key.weight"),              OutputLast),
            ("layers.{}.self_attention.projections.key.bias",       concat!($model, ".encoder.layer.{}.attention.self.key.bias"),                OutputFirst),
            ("layers.{}.self_attention.projections.value.weight",   concat!($model, ".encoder.layer.{}.attention.self.value.weight"),            OutputLast),
            ("layers.{}.self_attention.projections.value.bias",     concat!($model, ".encoder.layer.{}.attention.self.value.bias"),              OutputFirst),
            ("layers.{}.self_attention.projections.output.weight",  concat!($model, ".encoder.layer.{}.attention.output.dense.weight"),          OutputLast),
            ("layers.{}.self_attention.projections.output.bias",    concat!($model, ".encoder.layer.{}.attention.output.dense.bias"),            OutputFirst),
            ("layers.{}.self_attention_norm.gamma",                 concat!($model, ".encoder.layer.{}.attention.output.LayerNorm.weight"),      OutputFirst),
            ("layers.{}.self_attention_norm.beta",                  concat!($model, ".encoder.layer.{}.attention.output.LayerNorm.bias"),        OutputFirst),
            ("layers.{}.cross_attention.projections.query.weight",  concat!($model, ".encoder.layer.{}.crossattention.self.query.weight"),       OutputLast),
            ("layers.{}.cross_attention.projections.query.bias",    concat!($model, ".encoder.layer.{}.crossattention.self.query.bias"),         OutputFirst),
            ("layers.{}.cross_attention.projections.key.weight",    concat!($model, ".encoder.layer.{}.crossattention.self.key.weight"),         OutputLast),
            ("layers.{}.cross_attention.projections.key.bias",      concat!($model, ".encoder.layer.{}.crossattention.self.key.bias"),           OutputFirst),
            ("layers.{}.cross_attention.projections.value.weight",  concat!($model, ".encoder.layer.{}.crossattention.self.value.weight"),       OutputLast),
            ("layers.{}.cross_attention.projections.value.bias",    concat!($model, ".encoder.layer.{}.crossattention.self.value.bias"),         OutputFirst),
            ("layers.{}.cross_attention.projections.output.weight", concat!($model, ".encoder.layer.{}.crossattention.output.dense.weight"),     OutputLast),
            ("layers.{}.cross_attention.projections.output.bias",   concat!($model, ".encoder.layer.{}.crossattention.output.dense.bias"),       OutputFirst),
            ("layers.{}.cross_attention_norm.gamma",                concat!($model, ".encoder.layer.{}.crossattention.output.LayerNorm.weight"), OutputFirst),
            ("layers.{}.cross_attention_norm.beta",                 concat!($model, ".encoder.layer.{}.crossattention.output.LayerNorm.bias"),   OutputFirst),
            ("layers.{}.feed_forward.input.weight",                 concat!($model, ".encoder.layer.{}.intermediate.dense.weight"),              OutputLast),
            ("layers.{}.feed_forward.input.bias",                   concat!($model, ".encoder.layer.{}.intermediate.dense.bias"),                OutputFirst),
            ("layers.{}.feed_forward.output.weight",                concat!($model, ".encoder.layer.{}.output.dense.weight"),                    OutputLast),
            ("layers.{}.feed_forward.output.bias",                  concat!($model, ".encoder.layer.{}.output.dense.bias"),                      OutputFirst),
            ("layers.{}.feed_forward_norm.gamma",                   concat!($model, ".encoder.layer.{}.output.LayerNorm.weight"),                OutputFirst),
            ("layers.{}.feed_forward_norm.beta",                    concat!($model, ".encoder.layer.{}.output.LayerNorm.bias"),                  OutputFirst),
            $($others)*
        ]
    };
}

/// A table of some names, and of those that layer norms have in checkpoints which were converted from TensorFlow, as
/// `bert-base-uncased` was.
#[rustfmt::skip]
macro_rules! with_old_norms {
    ($($others:tt)*) => {
        &[
            $($others)*
            ("embeddings.norm.gamma",                "bert.embeddings.LayerNorm.gamma",                             OutputFirst),
            ("embeddings.norm.beta",                 "bert.embeddings.LayerNorm.beta",                              OutputFirst),
            ("layers.{}.self_attention_norm.gamma",  "bert.encoder.layer.{}.attention.output.LayerNorm.gamma",      OutputFirst),
            ("layers.{}.self_attention_norm.beta",   "bert.encoder.layer.{}.attention.output.LayerNorm.beta",       OutputFirst),
            ("layers.{}.cross_attention_norm.gamma", "bert.encoder.layer.{}.crossattention.output.LayerNorm.gamma", OutputFirst),
            ("layers.{}.cross_attention_norm.beta",  "bert.encoder.layer.{}.crossattention.output.LayerNorm.beta",  OutputFirst),
            ("layers.{}.feed_forward_norm.gamma",    "bert.encoder.layer.{}.output.LayerNorm.gamma",                OutputFirst),
            ("layers.{}.feed_forward_norm.beta",     "bert.encoder.layer.{}.output.LayerNorm.beta",                 OutputFirst),
            ("head_transform.norm.gamma",            "cls.predictions.transform.LayerNorm.gamma",                   OutputFirst),
            ("head_transform.norm.beta",             "cls.predictions.transform.LayerNorm.beta",                    OutputFirst),
        ]
    };
}

/// Every weight but the bias of the head: Burn's path of the parameter in [`BertDecoder`](crate::BertDecoder), its name in a
/// Hugging Face checkpoint of a `BertLMHeadModel` with cross-attention, and the layout of the parameter. `{}` stands for the
/// index of the layer. `head` exists only if the configuration says so.
#[rustfmt::skip]
pub const BERT_WEIGHTS: &[(&str, &str, Layout)] = with_body! {
    "bert",
    ("head_transform.dense.weight", "cls.predictions.transform.dense.weight",     OutputLast),
    ("head_transform.dense.bias",   "cls.predictions.transform.dense.bias",       OutputFirst),
    ("head_transform.norm.gamma",   "cls.predictions.transform.LayerNorm.weight", OutputFirst),
    ("head_transform.norm.beta",    "cls.predictions.transform.LayerNorm.bias",   OutputFirst),
    ("head.weight",                 "cls.predictions.decoder.weight",             OutputFirst),
};

/// Every weight of a `RobertaForCausalLM` with cross-attention but the bias of the head, in the form of [`BERT_WEIGHTS`].
#[rustfmt::skip]
pub const ROBERTA_WEIGHTS: &[(&str, &str, Layout)] = with_body! {
    "roberta",
    ("head_transform.dense.weight", "lm_head.dense.weight",      OutputLast),
    ("head_transform.dense.bias",   "lm_head.dense.bias",        OutputFirst),
    ("head_transform.norm.gamma",   "lm_head.layer_norm.weight", OutputFirst),
    ("head_transform.norm.beta",    "lm_head.layer_norm.bias",   OutputFirst),
    ("head.weight",                 "lm_head.decoder.weight",    OutputFirst),
};

/// The bias of the head, and further names of weights, of a model whose head shares the table of token embeddings, in the
/// form of [`BERT_WEIGHTS`]. Checkpoints may have either name of the bias, or both; the first is saved.
#[rustfmt::skip]
pub const BERT_TIED_WEIGHTS: &[(&str, &str, Layout)] = with_old_norms! {
    ("logits_bias",              "cls.predictions.bias",           OutputFirst),
    ("logits_bias",              "cls.predictions.decoder.bias",   OutputFirst),
    ("embeddings.tokens.weight", "cls.predictions.decoder.weight", OutputFirst),
};

/// The same of a model whose head has its own table.
#[rustfmt::skip]
pub const BERT_UNTIED_WEIGHTS: &[(&str, &str, Layout)] = with_old_norms! {
    ("logits_bias", "cls.predictions.decoder.bias", OutputFirst),
    ("logits_bias", "cls.predictions.bias",         OutputFirst),
};

/// The bias of the head, and a further name of a weight, of a RoBERTa whose head shares the table of token embeddings.
#[rustfmt::skip]
pub const ROBERTA_TIED_WEIGHTS: &[(&str, &str, Layout)] = &[
    ("logits_bias",              "lm_head.bias",           OutputFirst),
    ("logits_bias",              "lm_head.decoder.bias",   OutputFirst),
    ("embeddings.tokens.weight", "lm_head.decoder.weight", OutputFirst),
];

/// The bias of the head of a RoBERTa whose head has its own table.
#[rustfmt::skip]
pub const ROBERTA_UNTIED_WEIGHTS: &[(&str, &str, Layout)] = &[
    ("logits_bias", "lm_head.decoder.bias", OutputFirst),
    ("logits_bias", "lm_head.bias",         OutputFirst),
];
