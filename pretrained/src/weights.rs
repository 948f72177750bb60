use std::str::FromStr;

use burn::tensor::Device;
use packed_linear::{Format, FormatError};

/// How the weights of a model are kept in memory.
///
/// As text it is `auto`, `ordinary`, or a [`Format`]: `f32`, `bf16`, `int8` or `int4`. The last two may have
/// a group size, as in `int8:128`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// Packed in the format of the checkpoint, if its weights are packed. Otherwise packed in `f32` if the
    /// device has kernels for packed weights, and ordinary if it has not.
    #[default]
    Auto,
    /// `f32` tensors, which can be trained and work on every device.
    Ordinary,
    /// Packed in this format, for inference.
    Packed(Format),
}

impl Weights {
    /// The format that weights are packed in; `None` for ordinary weights. `in_checkpoint` is the format of
    /// the checkpoint, if its weights are packed.
    pub(crate) fn format(self, in_checkpoint: Option<Format>, device: &Device) -> Option<Format> {
        match self {
            Self::Auto => {
                let fast = packed_linear::has_kernels(device).then_some(Format::F32);
                in_checkpoint.or(fast)
            }
            Self::Ordinary => None,
            Self::Packed(format) => Some(format),
        }
    }
}

/// A text that does not name a way of keeping weights.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a precision: expected auto, ordinary, f32, bf16, int8 or int4, the last two optionally with a group size, as in int8:128"
)]
pub struct UnknownWeights {
    /// The text.
    pub text: String,
    /// Why it is not a format.
    pub source: FormatError,
}

impl FromStr for Weights {
    type Err = UnknownWeights;

    fn from_str(text: &str) -> Result<Self, UnknownWeights> {
        match text {
            "auto" => Ok(Self::Auto),
            "ordinary" => Ok(Self::Ordinary),
            format => match format.parse() {
                Ok(format) => Ok(Self::Packed(format)),
                Err(source) => Err(UnknownWeights {
                    text: text.into(),
                    source,
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_ways_of_keeping_weights_or_errors() {
        for (text, weights) in [
            ("auto", Weights::Auto),
            ("ordinary", Weights::Ordinary),
            ("int8", Weights::Packed(Format::INT8)),
        ] {
            assert_eq!(text.parse(), Ok(weights));
        }
        let error = "int3".parse::<Weights>().unwrap_err();
        assert!(
            error.to_string().contains("expected auto, ordinary"),
            "{error}"
        );
    }
}
