use packed_linear::Activation;
use serde::{Deserialize, Serialize};

/// The activations of Hugging Face's configurations, under their names there, as far as linear layers have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenAct {
    /// The exact GELU, with the error function.
    #[serde(alias = "gelu_python")]
    Gelu,
    /// `x · sigmoid(1.702 x)`; used by OpenAI's CLIP.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
}

impl From<HiddenAct> for Activation {
    fn from(name: HiddenAct) -> Self {
        match name {
            HiddenAct::Gelu => Self::Gelu,
            HiddenAct::QuickGelu => Self::QuickGelu,
            HiddenAct::Relu => Self::Relu,
        }
    }
}
