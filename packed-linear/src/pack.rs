use std::ops::Range;

use half::bf16;

use crate::shape::LANES;
use crate::{Format, PackedShape};

/// Packs the weights of a panel.
///
/// # Shapes
/// - rows: `[up to 32, inputs]`, those of the panel's outputs
/// - words: those of the panel
pub(crate) fn pack_panel(shape: PackedShape, rows: &[f32], words: &mut [u32]) {
    debug_assert_eq!(words.len(), shape.panel_words());
    let inputs = shape.inputs;
    let group_inputs = shape.group_inputs();
    let mut values = vec![0.0; group_inputs];
    for (group, words) in words.chunks_exact_mut(shape.group_stride()).enumerate() {
        words.fill(0);
        let (scales, words) = words.split_at_mut(shape.scale_words());
        let first = (group * group_inputs).min(inputs);
        let last = (first + group_inputs).min(inputs);
        for lane in 0..LANES {
            values.fill(0.0);
            if let Some(row) = rows.get(lane * inputs..(lane + 1) * inputs) {
                values[..last - first].copy_from_slice(&row[first..last]);
            }
            let lane_words = words.iter_mut().skip(lane).step_by(LANES);
            match shape.format {
                Format::F32 => {
                    for (word, value) in lane_words.zip(&values) {
                        *word = value.to_bits();
                    }
                }
                Format::BF16 => {
                    for (word, pair) in lane_words.zip(values.chunks_exact(2)) {
                        *word = bf16_bits(pair[0]) | bf16_bits(pair[1]) << 16;
                    }
                }
                Format::Int8 { .. } => {
                    let scale = int8_scale(&values);
                    set_scale(scales, lane, scale);
                    for (word, values) in lane_words.zip(values.chunks_exact(4)) {
                        *word = int8_word(values, scale);
                    }
                }
                Format::Int4 { .. } => {
                    let scale = int4_scale(&values);
                    set_scale(scales, lane, scale);
                    for (word, values) in lane_words.zip(values.chunks_exact(8)) {
                        *word = int4_word(values, scale);
                    }
                }
            }
        }
    }
}

/// Unpacks the weights of one output.
///
/// # Shapes
/// - panel: the words of the output's panel, in which the output is number `lane`
/// - row: `[inputs]`
pub(crate) fn unpack_row(shape: PackedShape, panel: &[u32], lane: usize, row: &mut [f32]) {
    debug_assert_eq!(row.len(), shape.inputs);
    let groups = panel.chunks_exact(shape.group_stride());
    for (words, values) in groups.zip(row.chunks_mut(shape.group_inputs())) {
        let (scales, words) = words.split_at(shape.scale_words());
        let words = words.iter().skip(lane).step_by(LANES);
        match shape.format {
            Format::F32 => {
                for (value, word) in values.iter_mut().zip(words) {
                    *value = f32::from_bits(*word);
                }
            }
            Format::BF16 => {
                for (pair, word) in values.chunks_mut(2).zip(words) {
                    for (half, value) in pair.iter_mut().enumerate() {
                        *value = f32::from_bits(word >> (16 * half) << 16);
                    }
                }
            }
            Format::Int8 { .. } => {
                let scale = scale(scales, lane);
                for (values, word) in values.chunks_mut(4).zip(words) {
                    for (value, byte) in values.iter_mut().zip(word.to_le_bytes()) {
                        *value = (i32::from(byte) - 128) as f32 * scale;
                    }
                }
            }
            Format::Int4 { .. } => {
                let scale = scale(scales, lane);
                for (values, word) in values.chunks_mut(8).zip(words) {
                    for (index, value) in values.iter_mut().enumerate() {
                        *value = (nibble(*word, index) as i32 - 8) as f32 * scale;
                    }
                }
            }
        }
    }
}

/// Copies the packed weights of one output, unchanged, from and to a lane of a panel.
pub(crate) fn copy_lane(shape: PackedShape, from: (&[u32], usize), to: (&mut [u32], usize)) {
    let stride = shape.group_stride();
    let scale_words = shape.scale_words();
    let groups = from
        .0
        .chunks_exact(stride)
        .zip(to.0.chunks_exact_mut(stride));
    for (source, target) in groups {
        let (source_scales, source) = source.split_at(scale_words);
        let (target_scales, target) = target.split_at_mut(scale_words);
        if scale_words > 0 {
            set_scale(target_scales, to.1, scale(source_scales, from.1));
        }
        let lane = source.iter().skip(from.1).step_by(LANES);
        for (target, source) in target.iter_mut().skip(to.1).step_by(LANES).zip(lane) {
            *target = *source;
        }
    }
}

/// The bits of the nearest `bf16`.
#[inline(always)]
pub(crate) fn bf16_bits(value: f32) -> u32 {
    let bits = value.to_bits();
    // Ties go to even. Without its own case a NaN could become infinity.
    match value.is_nan() {
        true => bits >> 16 | 0x40,
        false => (bits + 0x7fff + (bits >> 16 & 1)) >> 16,
    }
}

/// The scale of a lane. A word holds two.
pub(crate) fn scale(scales: &[u32], lane: usize) -> f32 {
    let word = scales[lane % scales.len()];
    f32::from_bits(if lane < scales.len() {
        word << 16
    } else {
        word & 0xffff_0000
    })
}

fn set_scale(scales: &mut [u32], lane: usize, scale: f32) {
    // The lower halves are the scales of the first 16 lanes, so that a shift and a mask of the words give
    // two vectors of scales in order.
    let (index, shift) = (lane % scales.len(), 16 * (lane / scales.len()));
    scales[index] = scales[index] & !(0xffff << shift) | (scale.to_bits() >> 16) << shift;
}

/// The smallest `bf16` that is not less than a value: with a scale rounded down, the largest weight would
/// not fit.
fn bf16_not_below(value: f32) -> f32 {
    let nearest = bf16::from_f32(value);
    match nearest.to_f32() < value {
        true => bf16::from_bits(nearest.to_bits() + 1).to_f32(),
        false => nearest.to_f32(),
    }
}

fn int8_scale(values: &[f32]) -> f32 {
    let largest = values.iter().fold(0.0f32, |a, b| a.max(b.abs()));
    bf16_not_below(largest / 127.0)
}

fn int8_word(values: &[f32], scale: f32) -> u32 {
    let inverse = inverse(scale);
    let byte = |index: usize| (quantised(values[index], inverse, [-127.0, 127.0]) + 128) as u8;
    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

/// The best of a few scales: that with the least squared error.
fn int4_scale(values: &[f32]) -> f32 {
    // The largest weight becomes -8, with a negative scale if it is positive, since the 16 integers reach
    // further on that side. Smaller scales clip the largest weights so that the others are rounded less.
    const FRACTIONS: [f32; 6] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75];
    let largest = values
        .iter()
        .fold(0.0f32, |a, b| if b.abs() > a.abs() { *b } else { a });
    let mut best: Option<(f32, f32)> = None;
    for fraction in FRACTIONS {
        let scale = bf16::from_f32(largest * fraction / -8.0).to_f32();
        let inverse = inverse(scale);
        let error: f32 = values
            .iter()
            .map(|value| {
                let rounded = (value * inverse).round_ties_even().clamp(-8.0, 7.0) * scale;
                (value - rounded) * (value - rounded)
            })
            .sum();
        if best.is_none_or(|(least, _)| error < least) {
            best = Some((error, scale));
        }
    }
    best.map_or(0.0, |(_, scale)| scale)
}

/// A word of eight inputs: the first four in the lower halves of its bytes, the others in the upper halves.
fn int4_word(values: &[f32], scale: f32) -> u32 {
    let inverse = inverse(scale);
    (0..8).fold(0, |word, index| {
        let nibble = (quantised(values[index], inverse, [-8.0, 7.0]) + 8) as u32;
        word | nibble << nibble_shift(index)
    })
}

fn nibble(word: u32, index: usize) -> u32 {
    word >> nibble_shift(index) & 0xf
}

/// The lowest bit of an input in a word of eight.
fn nibble_shift(index: usize) -> usize {
    8 * (index % 4) + 4 * (index / 4)
}

fn inverse(scale: f32) -> f32 {
    match scale == 0.0 {
        true => 0.0,
        false => 1.0 / scale,
    }
}

/// The integer that a value is stored as, given the inverse of the scale.
fn quantised(value: f32, inverse: f32, [least, most]: [f32; 2]) -> i32 {
    (value * inverse).round_ties_even().clamp(least, most) as i32
}

impl PackedShape {
    /// Packs a weight panel by panel, on all threads, so that the unpacked weight need not fit in memory.
    /// `read` is called with a range of outputs and fills in their weights, `[outputs, inputs]`.
    ///
    /// # Errors
    /// The first error that `read` returns.
    pub fn pack<E: Send>(
        self,
        read: impl Fn(Range<usize>, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Vec<u32>, E> {
        let mut words = vec![0; self.words()];
        let pack = |rows: &mut Vec<f32>, (panel, words): (usize, &mut [u32])| {
            let first = panel * LANES;
            let outputs = first..self.outputs().min(first + LANES);
            rows.resize(outputs.len() * self.inputs(), 0.0);
            read(outputs, rows)?;
            pack_panel(self, rows, words);
            Ok(())
        };
        let length = self.panel_words().max(1);
        #[cfg(feature = "flex")]
        {
            use rayon::prelude::*;
            let panels = words.par_chunks_mut(length).enumerate();
            panels.try_for_each_init(Vec::new, pack)?;
        }
        #[cfg(not(feature = "flex"))]
        {
            let mut rows = Vec::new();
            let mut panels = words.chunks_mut(length).enumerate();
            panels.try_for_each(|panel| pack(&mut rows, panel))?;
        }
        Ok(words)
    }

    /// Packs a weight that is in memory, `[outputs, inputs]`.
    ///
    /// # Panics
    /// If `values` doesn't have outputs times inputs elements.
    pub fn pack_all(self, values: &[f32]) -> Vec<u32> {
        let inputs = self.inputs();
        assert_eq!(
            values.len(),
            self.outputs() * inputs,
            "elements of a weight"
        );
        let copy = |outputs: Range<usize>, rows: &mut [f32]| {
            rows.copy_from_slice(&values[outputs.start * inputs..outputs.end * inputs]);
            Ok::<_, std::convert::Infallible>(())
        };
        match self.pack(copy) {
            Ok(words) => words,
            Err(impossible) => match impossible {},
        }
    }

    /// Unpacks a panel: the weights of up to 32 outputs, `[outputs, inputs]`, rounded as they were stored.
    ///
    /// # Panics
    /// If `words` doesn't have [`panel_words`](Self::panel_words) elements.
    pub fn unpack_panel(self, panel: usize, words: &[u32]) -> Vec<f32> {
        assert_eq!(words.len(), self.panel_words(), "words of a panel");
        let outputs = LANES.min(self.outputs().saturating_sub(panel * LANES));
        let mut rows = vec![0.0; outputs * self.inputs()];
        for (lane, row) in rows.chunks_mut(self.inputs().max(1)).enumerate() {
            unpack_row(self, words, lane, row);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_is_rounded_as_the_type_does() {
        let values = (0..=u32::MAX).step_by(65_521).map(f32::from_bits);
        for value in values.chain([f32::MAX, f32::INFINITY, f32::NEG_INFINITY, 1.003_906_2]) {
            let theirs = bf16::from_f32(value);
            let ours = bf16::from_bits(bf16_bits(value) as u16);
            assert!(
                ours == theirs || ours.is_nan() && theirs.is_nan(),
                "{value}"
            );
        }
    }
}
