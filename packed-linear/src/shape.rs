use std::fmt;
use std::str::FromStr;

use crate::Format;
use crate::format::GroupSize;

/// Outputs of a panel: two vectors of 512 bits.
pub(crate) const LANES: usize = 32;

/// Words of 32 bits that the scales of a group take, two `bf16` in each.
const SCALE_WORDS: usize = LANES / 2;

/// The format and the sizes of a packed weight, which determine its layout in memory.
///
/// A weight is cut into panels of 32 outputs, and a panel into groups of inputs. A group starts with its
/// 32 scales, if the format has any. Then come 32 words, one for each output, with the first few inputs
/// (as many as a word holds), 32 words with the next few, and so on. So a kernel that computes 32 outputs
/// reads one contiguous stream.
///
/// Missing outputs and inputs are filled with zeros.
///
/// The kernel of a convolution whose patches don't overlap is such a weight too. The inputs of an output are
/// then the pixels of a patch, channel by channel and line by line.
///
/// As text: `int8:1024x4096`, which is format, outputs and inputs; `int8:768x3x32x32` for a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedShape {
    pub(crate) format: Format,
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    /// `[height, width]` of a convolution's kernel.
    pub(crate) kernel: Option<[usize; 2]>,
}

/// The largest group: the products of this many integers can be summed in 32 bits.
const MOST_GROUP_INPUTS: usize = 1 << 16;

impl PackedShape {
    /// Outputs of a panel.
    pub const PANEL_OUTPUTS: usize = LANES;

    /// A matrix, `[outputs, inputs]`. Integer formats have groups of at most 65,536 inputs, whatever the
    /// format says.
    pub fn new(format: Format, outputs: usize, inputs: usize) -> Self {
        Self {
            format,
            outputs,
            inputs,
            kernel: None,
        }
    }

    /// The kernel of a convolution, `[outputs, channels, height, width]`, each at least 1.
    pub fn of_kernel(format: Format, [outputs, channels, height, width]: [usize; 4]) -> Self {
        Self {
            kernel: Some([height, width]),
            ..Self::new(format, outputs, channels * height * width)
        }
    }

    /// How elements are stored.
    pub fn format(self) -> Format {
        self.format
    }

    /// The number of outputs.
    pub fn outputs(self) -> usize {
        self.outputs
    }

    /// The number of inputs.
    pub fn inputs(self) -> usize {
        self.inputs
    }

    /// The dimensions of the weight before it was packed, in PyTorch's order: `[outputs, inputs]`, or
    /// `[outputs, channels, height, width]`.
    pub fn dims(self) -> Vec<usize> {
        match self.kernel {
            None => vec![self.outputs, self.inputs],
            Some([height, width]) => {
                vec![self.outputs, self.inputs / (height * width), height, width]
            }
        }
    }

    /// The number of panels. The last may have fewer than [`PANEL_OUTPUTS`](Self::PANEL_OUTPUTS) outputs.
    pub fn panels(self) -> usize {
        self.outputs.div_ceil(LANES)
    }

    /// Inputs of a group.
    pub(crate) fn group_inputs(self) -> usize {
        let all = self.inputs.max(1);
        let all = all.next_multiple_of(self.format.inputs_per_word());
        if !self.format.is_integer() {
            return all;
        }
        match self.format.group_size() {
            Some(size) => size
                .get()
                .min(all.next_multiple_of(GroupSize::MULTIPLE))
                .min(MOST_GROUP_INPUTS),
            None => match all.div_ceil(MOST_GROUP_INPUTS) {
                1 => all,
                groups => all.div_ceil(groups).next_multiple_of(GroupSize::MULTIPLE),
            },
        }
    }

    /// Groups of a panel.
    pub(crate) fn groups(self) -> usize {
        self.inputs.div_ceil(self.group_inputs()).max(1)
    }

    /// Words that a group has for each output.
    pub(crate) fn group_words(self) -> usize {
        self.group_inputs() / self.format.inputs_per_word()
    }

    /// Words of scales that a group starts with.
    pub(crate) fn scale_words(self) -> usize {
        match self.format.is_integer() {
            true => SCALE_WORDS,
            false => 0,
        }
    }

    /// Words of a group, including its scales.
    pub(crate) fn group_stride(self) -> usize {
        self.scale_words() + LANES * self.group_words()
    }

    /// Words of 32 bits of a panel.
    pub fn panel_words(self) -> usize {
        self.groups() * self.group_stride()
    }

    /// Words of 32 bits of the whole weight.
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

/// A text that is not a [`PackedShape`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the shape of a packed weight: expected a format and 2 or 4 sizes, as in int8:1024x4096"
)]
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
            // The sizes may come from a file: computing the number of words must not overflow.
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
    fn shapes_are_parsed_from_what_they_are_displayed_as() {
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
    fn weights_take_the_bits_of_their_format() {
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
    fn more_inputs_than_an_integer_sum_can_hold_are_cut_into_groups() {
        for (format, inputs, expected) in [
            ("int8", 65_536, (65_536, 1)),
            ("int8", 65_537, (32_776, 2)), // 65,540 inputs fill whole words
            ("int8:80000", 70_000, (65_536, 2)),
            ("f32", 70_000, (70_000, 1)),
        ] {
            let shape = PackedShape::new(format.parse().unwrap(), 3, inputs);
            assert_eq!((shape.group_inputs(), shape.groups()), expected, "{shape}");
        }
    }
}
