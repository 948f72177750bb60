use packed_linear::Activation;

use crate::BertDecoderConfig;

/// Which of two models that differ little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Bert,
    /// Also XLM-RoBERTa and CamemBERT.
    Roberta,
}

impl Variant {
    /// The activation of the head.
    pub(crate) fn head_activation(self, config: &BertDecoderConfig) -> Activation {
        match self {
            Self::Bert => config.hidden_act.into(),
            Self::Roberta => Activation::Gelu,
        }
    }
}
