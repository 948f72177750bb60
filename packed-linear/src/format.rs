use std::fmt;
use std::str::FromStr;

/// How the elements of a packed weight are stored.
///
/// As text: `f32`, `bf16`, `int8` (a scale for each output), `int4` (a scale for each 64 inputs of an
/// output), and `int8:128` or `int4:32` for other group sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// 32 bits, unchanged.
    F32,
    /// The upper half of an `f32`: 8 significant bits. Inputs are rounded to `bf16` too; sums are `f32`.
    BF16,
    /// Integers from -127 to 127, times a scale. Inputs are rounded to such integers too, with one scale
    /// for each row, and the products of integers are summed exactly.
    Int8 {
        /// How many inputs of an output share a scale; `None` if all do.
        group_size: Option<GroupSize>,
    },
    /// Integers from -8 to 7, times a scale. Inputs are rounded to integers from -127 to 127, with one
    /// scale for each row, and the products of integers are summed exactly.
    Int4 {
        /// How many inputs of an output share a scale.
        group_size: GroupSize,
    },
}

impl Format {
    /// [`Int8`](Self::Int8) with a scale for each output.
    pub const INT8: Self = Self::Int8 { group_size: None };
    /// [`Int4`](Self::Int4) with a scale for each 64 inputs of an output.
    pub const INT4: Self = Self::Int4 {
        group_size: GroupSize(64),
    };

    /// Inputs whose weights share a word of 32 bits.
    pub(crate) fn inputs_per_word(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::BF16 => 2,
            Self::Int8 { .. } => 4,
            Self::Int4 { .. } => 8,
        }
    }

    /// Whether weights are integers with scales.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::Int8 { .. } | Self::Int4 { .. })
    }

    /// How many inputs share a scale; `None` if all inputs of an output do, or if there are no scales.
    pub(crate) fn group_size(self) -> Option<GroupSize> {
        match self {
            Self::F32 | Self::BF16 => None,
            Self::Int8 { group_size } => group_size,
            Self::Int4 { group_size } => Some(group_size),
        }
    }
}

/// How many inputs share a scale: a positive multiple of 8, so that a group takes whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupSize(usize);

impl GroupSize {
    /// Sizes are multiples of this.
    pub(crate) const MULTIPLE: usize = 8;

    /// # Errors
    /// [`FormatError::GroupSize`] if `inputs` is 0 or not a multiple of 8.
    pub fn new(inputs: usize) -> Result<Self, FormatError> {
        match inputs > 0 && inputs.is_multiple_of(Self::MULTIPLE) {
            true => Ok(Self(inputs)),
            false => Err(FormatError::GroupSize { inputs }),
        }
    }

    /// The number of inputs.
    pub fn get(self) -> usize {
        self.0
    }
}

/// A text that is not a [`Format`], or a number that is not a [`GroupSize`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The text names no format.
    #[error(
        "{text:?} is not a format of weights: expected f32, bf16, int8 or int4, the last two optionally with a group size, as in int8:128"
    )]
    Unknown {
        /// The text.
        text: String,
    },
    /// Floating-point weights have no scales.
    #[error("{format} has no scales, so it takes no group size")]
    NoGroups {
        /// The format that was given a group size.
        format: Format,
    },
    /// Groups of this size can't be stored.
    #[error("groups of {inputs} inputs can't be stored: expected a positive multiple of 8")]
    GroupSize {
        /// The inputs of a group.
        inputs: usize,
    },
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::BF16 => "bf16",
            Self::Int8 { .. } => "int8",
            Self::Int4 { .. } => "int4",
        })?;
        match self.group_size() {
            Some(size) => write!(formatter, ":{}", size.get()),
            None => Ok(()),
        }
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let unknown = || FormatError::Unknown { text: text.into() };
        let (name, inputs) = match text.split_once(':') {
            Some((name, inputs)) => (name, Some(inputs)),
            None => (text, None),
        };
        let format = match name {
            "f32" => Self::F32,
            "bf16" => Self::BF16,
            "int8" => Self::INT8,
            "int4" => Self::INT4,
            _ => return Err(unknown()),
        };
        let Some(inputs) = inputs else {
            return Ok(format);
        };
        let inputs = inputs.parse().map_err(|_| unknown())?;
        match format {
            Self::F32 | Self::BF16 => Err(FormatError::NoGroups { format }),
            Self::Int8 { .. } => Ok(Self::Int8 {
                group_size: Some(GroupSize::new(inputs)?),
            }),
            Self::Int4 { .. } => Ok(Self::Int4 {
                group_size: GroupSize::new(inputs)?,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_parsed_from_what_they_are_displayed_as() {
        for text in ["f32", "bf16", "int8", "int8:128", "int4:32"] {
            assert_eq!(text.parse::<Format>().unwrap().to_string(), text);
        }
        assert_eq!("int4".parse(), Ok(Format::INT4));
        assert_eq!(Format::INT4.to_string(), "int4:64");
    }

    #[test]
    fn other_texts_are_refused_with_what_was_expected() {
        for text in ["", "int3", "int8:", "int8:x", "f32:64", "int4:12", "int4:0"] {
            assert!(text.parse::<Format>().is_err(), "{text}");
        }
        let message = "int3".parse::<Format>().unwrap_err().to_string();
        assert!(message.contains("\"int3\"") && message.contains("bf16"));
    }
}
