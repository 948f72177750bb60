use std::str::FromStr;

use packed_linear::{Format, FormatError};

/// The value of `--precision`: how weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// Half precision, which can't be packed.
    F16,
    /// A format that can be packed. `f32` and `bf16` need not be.
    Format(Format),
}

/// The form of the weights that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// safetensors, as Hugging Face writes them.
    Ordinary(checkpoint::Precision),
    /// Packed weights.
    Packed(Format),
}

/// A text that is not a precision.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PrecisionError {
    #[error(
        "expected f32, f16, bf16, int8 or int4, the last two optionally with a group size, as in int8:128"
    )]
    Unknown,
    #[error(transparent)]
    Format(FormatError),
}

/// `--packed` was given with a precision that can't be packed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("f16 can't be packed; expected --precision f32, bf16, int8 or int4 with --packed")]
pub(crate) struct NotPackable;

impl Precision {
    /// The form that is written with this precision. Integers are always packed.
    pub(crate) fn output(self, packed: bool) -> Result<Output, NotPackable> {
        match (self, packed) {
            (Self::F16, true) => Err(NotPackable),
            (Self::F16, false) => Ok(Output::Ordinary(checkpoint::Precision::F16)),
            (Self::Format(Format::F32), false) => Ok(Output::Ordinary(checkpoint::Precision::F32)),
            (Self::Format(Format::BF16), false) => {
                Ok(Output::Ordinary(checkpoint::Precision::BF16))
            }
            (Self::Format(format), _) => Ok(Output::Packed(format)),
        }
    }
}

impl Output {
    /// The format, if weights are packed.
    pub(crate) fn format(self) -> Option<Format> {
        match self {
            Self::Ordinary(_) => None,
            Self::Packed(format) => Some(format),
        }
    }
}

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        match text.parse() {
            // Includes the names of PyTorch, such as `float16`.
            Ok(checkpoint::Precision::F16) => Ok(Self::F16),
            Ok(checkpoint::Precision::F32) => Ok(Self::Format(Format::F32)),
            Ok(checkpoint::Precision::BF16) => Ok(Self::Format(Format::BF16)),
            Err(_) => match text.parse() {
                Ok(format) => Ok(Self::Format(format)),
                Err(FormatError::Unknown { .. }) => Err(PrecisionError::Unknown),
                Err(error) => Err(PrecisionError::Format(error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(precision: &str, packed: bool) -> Result<Output, NotPackable> {
        precision.parse::<Precision>().unwrap().output(packed)
    }

    #[test]
    fn integers_are_always_packed_and_half_precision_never() {
        let bf16 = checkpoint::Precision::BF16;
        assert_eq!(output("bf16", false), Ok(Output::Ordinary(bf16)));
        assert_eq!(output("bfloat16", true), Ok(Output::Packed(Format::BF16)));
        for packed in [false, true] {
            let int8 = "int8:64".parse().unwrap();
            assert_eq!(output("int8:64", packed), Ok(Output::Packed(int8)));
        }
        assert_eq!(output("f16", true), Err(NotPackable));
    }

    #[test]
    fn other_texts_are_errors_that_say_what_was_expected() {
        let error = |text: &str| text.parse::<Precision>().unwrap_err();
        assert_eq!(error("int3"), PrecisionError::Unknown);
        assert!(error("int3").to_string().contains("f16"));
        assert!(matches!(error("bf16:64"), PrecisionError::Format(_)));
    }
}
