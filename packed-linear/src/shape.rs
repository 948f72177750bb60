use std::fmt;
use std::str::FromStr;

use crate::{Format, Precision};

/// Outputs whose weights stand together: two vectors of 512 bits.
pub(crate) const LANES: usize = 32;

/// Words of 32 bits that the scales of a group take, two `bf16` in each.
const SCALE_WORDS: usize = LANES / 2;

/// The format and the sizes of a packed weight, and with them where its numbers stand.
///
/// A weight is cut into panels of 32 outputs. A panel has its groups of inputs one after the other;
/// each begins with the 32 scales, if there are any, and goes on with words: 32 for the first few
/// inputs (as many as fit into a word), 32 for the next, and so on. What a kernel reads while it
/// computes 32 outputs is so one stream, of which every 128 bytes meet the same few inputs.
///
/// Missing outputs and inputs are filled with zeros.
///
/// As text: `int8:1024x4096`, format, outputs and inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedShape {
    pub(crate) format: Format,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
}

/// Products of whole numbers are summed in 32 bits; so many fit.
const MOST_INPUTS_OF_A_SUM: usize = 1 << 16;

impl PackedShape {
    /// Outputs that a panel holds.
    pub const PANEL_OUTPUTS: usize = LANES;

    /// A weight of so many outputs and inputs.
    ///
    /// # Panics
    /// If more than 65,536 inputs share a scale: their sums could overflow.
    pub fn new(format: Format, outputs: usize, inputs: usize) -> Self {
        let shape = Self {
            format,
            outputs,
            inputs,
        };
        assert!(
            shape.is_summable(),
            "{inputs} inputs share a scale, at most {MOST_INPUTS_OF_A_SUM} can; take groups"
        );
        shape
    }

    fn is_summable(self) -> bool {
        !self.precision().is_integer() || self.group_inputs() <= MOST_INPUTS_OF_A_SUM
    }

    /// How numbers are stored.
    pub fn format(self) -> Format {
        self.format
    }

    /// Outputs.
    pub fn outputs(self) -> usize {
        self.outputs
    }

    /// Inputs.
    pub fn inputs(self) -> usize {
        self.inputs
    }

    /// Groups of 32 outputs, the last perhaps with fewer.
    pub fn panels(self) -> usize {
        self.outputs.div_ceil(LANES)
    }

    fn precision(self) -> Precision {
        self.format.precision()
    }

    /// Inputs of a group.
    pub(crate) fn group_inputs(self) -> usize {
        let all = self
            .inputs
            .next_multiple_of(self.precision().inputs_per_word())
            .max(self.precision().inputs_per_word());
        let size = self.format.group_size().unwrap_or(all);
        size.min(all.next_multiple_of(8))
    }

    /// Groups of a panel.
    pub(crate) fn groups(self) -> usize {
        self.inputs.div_ceil(self.group_inputs()).max(1)
    }

    /// Words that a group has for each output.
    pub(crate) fn group_words(self) -> usize {
        self.group_inputs() / self.precision().inputs_per_word()
    }

    /// Words of scales that a group begins with.
    pub(crate) fn scale_words(self) -> usize {
        match self.precision().is_integer() {
            true => SCALE_WORDS,
            false => 0,
        }
    }

    /// Words of a group, scales and all.
    pub(crate) fn group_stride(self) -> usize {
        self.scale_words() + LANES * self.group_words()
    }

    /// Words of 32 bits that a panel takes.
    pub fn panel_words(self) -> usize {
        self.groups() * self.group_stride()
    }

    /// Words of 32 bits that the whole weight takes.
    pub fn words(self) -> usize {
        self.panels() * self.panel_words()
    }
}

impl fmt::Display for PackedShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}x{}",
            self.format, self.outputs, self.inputs
        )
    }
}

/// A text that says no [`PackedShape`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no shape of a packed weight, expected one such as int8:1024x4096")]
pub struct PackedShapeError(String);

impl FromStr for PackedShape {
    type Err = PackedShapeError;

    fn from_str(text: &str) -> Result<Self, PackedShapeError> {
        let parse = || {
            let (format, sizes) = text.rsplit_once(':')?;
            let (outputs, inputs) = sizes.split_once('x')?;
            let shape = Self {
                format: format.parse().ok()?,
                outputs: outputs.parse().ok()?,
                inputs: inputs.parse().ok()?,
            };
            // Of sizes from outside the words must be countable.
            let padded = shape.inputs.checked_add(1 << 20)?;
            let rows = shape.outputs.checked_add(LANES)?;
            padded.checked_mul(rows)?.checked_mul(8)?;
            (shape.inputs > 0 && shape.is_summable()).then_some(shape)
        };
        parse().ok_or_else(|| PackedShapeError(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_written_as_they_are_read() {
        for text in ["f32:1x1", "int8:250054x1024", "int4:64:4096x1024"] {
            assert_eq!(text.parse::<PackedShape>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "int8",
            "int8:3",
            "int8:3x",
            "int8:1x0",
            "f16:1x1",
            "int8:1x70000",
        ] {
            assert!(text.parse::<PackedShape>().is_err(), "{text}");
        }
        let huge = format!("int8:64:{}x{}", usize::MAX, usize::MAX);
        assert!(huge.parse::<PackedShape>().is_err());
    }

    #[test]
    fn weights_take_the_bits_that_they_should() {
        let bits = |format, inputs| {
            let shape = PackedShape::new(format, 64, inputs);
            (shape.words() * 32) as f64 / (64 * inputs) as f64
        };
        assert_eq!(bits(Format::F32, 1024), 32.0);
        assert_eq!(bits(Format::BF16, 1024), 16.0);
        assert_eq!(bits(Format::INT8, 1024), 8.0 + 16.0 / 1024.0);
        assert_eq!(bits(Format::INT4, 1024), 4.0 + 16.0 / 64.0);
    }
}
