use std::fmt;
use std::str::FromStr;

use crate::format::GROUP_MULTIPLE;
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
/// The kernel of a convolution whose patches don't overlap is such a weight too: an output's inputs are
/// a patch's pixels, channel by channel and line by line.
///
/// As text: `int8:1024x4096`, format, outputs and inputs; of a kernel `int8:768x3x32x32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedShape {
    pub(crate) format: Format,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    /// `[height, width]` of a convolution's kernel: of so many inputs each is a channel.
    pub(crate) kernel: Option<[usize; 2]>,
}

/// Products of whole numbers are summed in 32 bits; of so many inputs they fit, and groups are no
/// larger. A multiple of 8, like them.
const MOST_INPUTS_OF_A_SUM: usize = 1 << 16;

impl PackedShape {
    /// Outputs that a panel holds.
    pub const PANEL_OUTPUTS: usize = LANES;

    /// A weight of so many outputs and inputs. Where more than 65,536 inputs would share a scale, there
    /// are groups.
    pub fn new(format: Format, outputs: usize, inputs: usize) -> Self {
        Self {
            format,
            outputs,
            inputs,
            kernel: None,
        }
    }

    /// A convolution's kernel, `[outputs, channels, height, width]`, each at least 1.
    pub fn of_kernel(format: Format, [outputs, channels, height, width]: [usize; 4]) -> Self {
        Self {
            kernel: Some([height, width]),
            ..Self::new(format, outputs, channels * height * width)
        }
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

    /// The dimensions of the weight where it is not packed, in PyTorch's order: `[outputs, inputs]`, or
    /// `[outputs, channels, height, width]`.
    pub fn dims(self) -> Vec<usize> {
        match self.kernel {
            None => vec![self.outputs, self.inputs],
            Some([height, width]) => {
                vec![self.outputs, self.inputs / (height * width), height, width]
            }
        }
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
        let precision = self.precision();
        let all = self.inputs.max(1);
        let all = all.next_multiple_of(precision.inputs_per_word());
        if !precision.is_integer() {
            return all;
        }
        let groups = all.div_ceil(MOST_INPUTS_OF_A_SUM);
        let even = match groups {
            1 => all,
            _ => all.div_ceil(groups).next_multiple_of(GROUP_MULTIPLE),
        };
        match self.format.group_size() {
            None => even,
            Some(size) => size
                .min(all.next_multiple_of(GROUP_MULTIPLE))
                .min(MOST_INPUTS_OF_A_SUM),
        }
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
        let dims: Vec<String> = self.dims().iter().map(usize::to_string).collect();
        write!(formatter, "{}:{}", self.format, dims.join("x"))
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
            let sizes: Result<Vec<usize>, _> = sizes.split('x').map(str::parse).collect();
            let (outputs, inputs, kernel) = match *sizes.ok()? {
                [outputs, inputs] => (outputs, inputs, None),
                [outputs, channels, height, width] => {
                    let inputs = channels.checked_mul(height.checked_mul(width)?)?;
                    (outputs, inputs, Some([height, width]))
                }
                _ => return None,
            };
            let shape = Self {
                format: format.parse().ok()?,
                outputs,
                inputs,
                kernel,
            };
            // Of sizes from outside the words must be countable.
            let padded = shape.inputs.checked_add(1 << 20)?;
            let rows = shape.outputs.checked_add(LANES)?;
            padded.checked_mul(rows)?.checked_mul(8)?;
            (shape.inputs > 0).then_some(shape)
        };
        parse().ok_or_else(|| PackedShapeError(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_written_as_they_are_read() {
        for text in [
            "f32:1x1",
            "int8:250054x1024",
            "int4:64:4096x1024",
            "bf16:768x3x32x32",
        ] {
            assert_eq!(text.parse::<PackedShape>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "int8",
            "int8:3",
            "int8:3x",
            "int8:1x0",
            "f16:1x1",
            "f32:1x1x1",
            "f32:1x1x0x1",
            "f32:1x4294967296x4294967296x1",
            "f32:1x1x1x1x1",
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

    #[test]
    fn more_inputs_than_a_sum_can_have_are_cut_into_groups() {
        for (format, inputs, expected) in [
            ("int8", 65_536, (65_536, 1)),
            ("int8", 65_537, (32_776, 2)), // of 65,540 that are whole words
            ("int8:80000", 70_000, (65_536, 2)),
            ("f32", 70_000, (70_000, 1)),
        ] {
            let shape = PackedShape::new(format.parse().unwrap(), 3, inputs);
            assert_eq!((shape.group_inputs(), shape.groups()), expected, "{shape}");
        }
    }
}
