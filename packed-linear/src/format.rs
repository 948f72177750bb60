use std::fmt;
use std::str::FromStr;

/// How the numbers of a weight are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits, as they are.
    F32,
    /// The upper half of an `f32`: 8 significant bits. What they are multiplied by is rounded
    /// likewise, sums are `f32`.
    BF16,
    /// Whole numbers from -127 to 127, times a scale. What they are multiplied by is rounded to
    /// such numbers too, with one scale a row; their products are summed exactly.
    Int8,
    /// Whole numbers from -8 to 7, times a scale; what they are multiplied by as with
    /// [`Int8`](Self::Int8).
    Int4,
}

/// How a weight is packed: the precision, and over how many inputs numbers share a scale.
///
/// As text: `f32`, `bf16`, `int8` (a scale a row), `int4` (a scale for 64 inputs), and `int8:128` or
/// `int4:32` for groups of another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    precision: Precision,
    group_size: Option<usize>,
}

/// The sizes of groups are multiples of this, so that a group is a whole number of words.
pub(crate) const GROUP_MULTIPLE: usize = 8;

impl Precision {
    /// Inputs whose weights share a word of 32 bits.
    pub(crate) fn inputs_per_word(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::BF16 => 2,
            Self::Int8 => 4,
            Self::Int4 => 8,
        }
    }

    /// Whether numbers have scales.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::Int8 | Self::Int4)
    }
}

impl Format {
    /// [`Precision::F32`].
    pub const F32: Self = Self::new(Precision::F32, None);
    /// [`Precision::BF16`].
    pub const BF16: Self = Self::new(Precision::BF16, None);
    /// [`Precision::Int8`] with a scale for each output.
    pub const INT8: Self = Self::new(Precision::Int8, None);
    /// [`Precision::Int4`] with a scale for 64 inputs of each output.
    pub const INT4: Self = Self::new(Precision::Int4, Some(64));

    const fn new(precision: Precision, group_size: Option<usize>) -> Self {
        Self {
            precision,
            group_size,
        }
    }

    /// One scale for so many inputs of an output.
    ///
    /// # Errors
    /// [`FormatError`] if the precision has no scales or the size is no multiple of 8.
    pub fn with_group_size(self, group_size: usize) -> Result<Self, FormatError> {
        if !self.precision.is_integer() {
            return Err(FormatError::NoGroups(self.precision));
        }
        if group_size == 0 || !group_size.is_multiple_of(GROUP_MULTIPLE) {
            return Err(FormatError::GroupSize(group_size));
        }
        Ok(Self::new(self.precision, Some(group_size)))
    }

    /// How numbers are stored.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// Inputs that share a scale; `None` if all inputs of an output do, or if there are no scales.
    pub fn group_size(self) -> Option<usize> {
        self.group_size
    }
}

/// A text or a size that says no [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// No such precision.
    #[error(
        "{0:?} is no format of weights, expected f32, bf16, int8 or int4, the last two perhaps with a group size: int8:128"
    )]
    Unknown(String),
    /// Floating-point numbers have no scales.
    #[error("{0} has no scales, so it takes no group size")]
    NoGroups(Precision),
    /// Groups of this size can't be stored.
    #[error("groups of {0} inputs can't be stored, expected a multiple of 8")]
    GroupSize(usize),
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::BF16 => "bf16",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group_size {
            Some(size) => write!(formatter, "{}:{size}", self.precision),
            None => self.precision.fmt(formatter),
        }
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let (name, group_size) = match text.split_once(':') {
            Some((name, size)) => (name, Some(size)),
            None => (text, None),
        };
        let unknown = || FormatError::Unknown(text.into());
        let all = [Self::F32, Self::BF16, Self::INT8, Self::INT4];
        let format = all
            .into_iter()
            .find(|format| format.precision.to_string() == name)
            .ok_or_else(unknown)?;
        match group_size {
            Some(size) => format.with_group_size(size.parse().map_err(|_| unknown())?),
            None => Ok(format),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_written_as_they_are_read() {
        for text in ["f32", "bf16", "int8", "int8:128", "int4:32"] {
            assert_eq!(text.parse::<Format>().unwrap().to_string(), text);
        }
        assert_eq!("int4".parse(), Ok(Format::INT4));
        assert_eq!(Format::INT4.to_string(), "int4:64");
    }

    #[test]
    fn what_is_no_format_is_refused_with_what_was_expected() {
        for text in ["", "int3", "int8:", "int8:x", "f32:64", "int4:12", "int4:0"] {
            assert!(text.parse::<Format>().is_err(), "{text}");
        }
        let message = "int3".parse::<Format>().unwrap_err().to_string();
        assert!(message.contains("\"int3\"") && message.contains("bf16"));
    }
}
