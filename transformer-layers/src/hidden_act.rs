use packed_linear::Activation;
use serde::{Deserialize, Serialize};

/// The activations of Hugging Face's configurations, under their names there, as far as linear layers have them. Of
/// several names of one function, the one that is read need not be the one that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenAct {
    /// The exact GELU, with the error function.
    #[serde(alias = "gelu_python")]
    Gelu,
    /// GELU's approximation with `tanh`; used by GPT-2.
    #[serde(
        alias = "gelu_fast",
        alias = "gelu_accurate",
        alias = "gelu_pytorch_tanh",
        alias = "gelu_python_tanh"
    )]
    GeluNew,
    /// `x · sigmoid(1.702 x)`; used by OpenAI's CLIP.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
    /// `x · sigmoid(x)`.
    #[serde(alias = "swish")]
    Silu,
}

impl From<HiddenAct> for Activation {
    fn from(name: HiddenAct) -> Self {
        match name {
            HiddenAct::Gelu => Self::Gelu,
            HiddenAct::GeluNew => Self::GeluTanh,
            HiddenAct::QuickGelu => Self::QuickGelu,
            HiddenAct::Relu => Self::Relu,
            HiddenAct::Silu => Self::Silu,
        }
    }
}
