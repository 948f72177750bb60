use std::ops::Range;

use half::bf16;

use crate::shape::LANES;
use crate::{PackedShape, Precision};

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
            match shape.format.precision() {
                Precision::F32 => {
                    for (word, value) in lane_words.zip(&values) {
                        *word = value.to_bits();
                    }
                }
                Precision::BF16 => {
                    for (word, pair) in lane_words.zip(values.chunks_exact(2)) {
                        *word = bf16_bits(pair[0]) | bf16_bits(pair[1]) << 16;
                    }
                }
                Precision::Int8 => {
                    let scale = int8_scale(&values);
                    set_scale(scales, lane, scale);
                    for (word, values) in lane_words.zip(values.chunks_exact(4)) {
                        *word = int8_word(values, scale);
                    }
                }
                Precision::Int4 => {
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

/// The weights of one output, as they are multiplied by.
///
/// # Shapes
/// - panel: the words of the panel that the output stands in, as its lane `lane`
/// - row: `[inputs]`
pub(crate) fn unpack_row(shape: PackedShape, panel: &[u32], lane: usize, row: &mut [f32]) {
    debug_assert_eq!(row.len(), shape.inputs);
    let groups = panel.chunks_exact(shape.group_stride());
    for (words, values) in groups.zip(row.chunks_mut(shape.group_inputs())) {
        let (scales, words) = words.split_at(shape.scale_words());
        let words = words.iter().skip(lane).step_by(LANES);
        match shape.format.precision() {
            Precision::F32 => {
                for (value, word) in values.iter_mut().zip(words) {
                    *value = f32::from_bits(*word);
                }
            }
            Precision::BF16 => {
                for (pair, word) in values.chunks_mut(2).zip(words) {
                    for (half, value) in pair.iter_mut().enumerate() {
                        *value = f32::from_bits(word >> (16 * half) << 16);
                    }
                }
            }
            Precision::Int8 => {
                let scale = scale(scales, lane);
                for (values, word) in values.chunks_mut(4).zip(words) {
                    for (value, byte) in values.iter_mut().zip(word.to_le_bytes()) {
                        *value = (i32::from(byte) - 128) as f32 * scale;
                    }
                }
            }
            Precision::Int4 => {
                let scale = scale(scales, lane);
                for (values, word) in values.chunks_mut(8).zip(words) {
                    for (place, value) in values.iter_mut().enumerate() {
                        *value = (nibble(*word, place) as i32 - 8) as f32 * scale;
                    }
                }
            }
        }
    }
}

/// Copies the weights of one output, bit by bit.
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
    // To even where two are as near. What is no number must not become infinity.
    match value.is_nan() {
        true => bits >> 16 | 0x40,
        false => (bits + 0x7fff + (bits >> 16 & 1)) >> 16,
    }
}

/// The scale of a lane; two stand in a word.
pub(crate) fn scale(scales: &[u32], lane: usize) -> f32 {
    let word = scales[lane % scales.len()];
    f32::from_bits(if lane < scales.len() {
        word << 16
    } else {
        word & 0xffff_0000
    })
}

fn set_scale(scales: &mut [u32], lane: usize, scale: f32) {
    // The lower halves are the scales of the first 16 lanes, so that a shift and a mask give two
    // vectors of scales in order.
    let (place, shift) = (lane % scales.len(), 16 * (lane / scales.len()));
    scales[place] = scales[place] & !(0xffff << shift) | (scale.to_bits() >> 16) << shift;
}

/// The smallest `bf16` that is not below a number. Not the nearest, since the largest weight should
/// still fit.
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
    let byte = |place: usize| (whole(values[place], inverse, -127.0, 127.0) + 128) as u8;
    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

/// Of a few scales the one whose rounded weights are nearest.
fn int4_scale(values: &[f32]) -> f32 {
    // The outermost weight becomes -8, with a negative scale if it is positive: of the sixteen
    // numbers there is one more on that side. Smaller scales cut it off, for the sake of the others.
    const SHARES: [f32; 6] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75];
    let largest = values
        .iter()
        .fold(0.0f32, |a, b| if b.abs() > a.abs() { *b } else { a });
    let mut best: Option<(f32, f32)> = None;
    for share in SHARES {
        let scale = bf16::from_f32(largest * share / -8.0).to_f32();
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

/// Lower halves of the bytes are the first four inputs, upper halves the other four.
fn int4_word(values: &[f32], scale: f32) -> u32 {
    let inverse = inverse(scale);
    (0..8).fold(0, |word, place| {
        let number = (whole(values[place], inverse, -8.0, 7.0) + 8) as u32;
        word | number << shift(place)
    })
}

fn nibble(word: u32, place: usize) -> u32 {
    word >> shift(place) & 0xf
}

/// Where the number of an input stands in a word of eight.
fn shift(place: usize) -> usize {
    8 * (place % 4) + 4 * (place / 4)
}

fn inverse(scale: f32) -> f32 {
    match scale == 0.0 {
        true => 0.0,
        false => 1.0 / scale,
    }
}

fn whole(value: f32, inverse: f32, least: f32, most: f32) -> i32 {
    (value * inverse).round_ties_even().clamp(least, most) as i32
}

impl PackedShape {
    /// Packs a weight, a panel at a time on each thread, so that it never is in memory as a whole in
    /// another form. `read` is called with some outputs and fills their weights, `[outputs, inputs]`.
    ///
    /// # Errors
    /// The first that `read` returns.
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
    /// If there are more or fewer numbers.
    pub fn pack_all(self, numbers: &[f32]) -> Vec<u32> {
        let inputs = self.inputs();
        assert_eq!(
            numbers.len(),
            self.outputs() * inputs,
            "numbers of a weight"
        );
        let copy = |outputs: Range<usize>, rows: &mut [f32]| {
            rows.copy_from_slice(&numbers[outputs.start * inputs..outputs.end * inputs]);
            Ok::<_, std::convert::Infallible>(())
        };
        match self.pack(copy) {
            Ok(words) => words,
            Err(impossible) => match impossible {},
        }
    }

    /// The weights of a panel, `[up to 32, inputs]`, as they are multiplied by.
    ///
    /// # Panics
    /// If there are not [`panel_words`](Self::panel_words) words.
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
        let numbers = (0..=u32::MAX).step_by(65_521).map(f32::from_bits);
        for number in numbers.chain([f32::MAX, f32::INFINITY, f32::NEG_INFINITY, 1.003_906_2]) {
            let theirs = bf16::from_f32(number);
            let ours = bf16::from_bits(bf16_bits(number) as u16);
            assert!(
                ours == theirs || ours.is_nan() && theirs.is_nan(),
                "{number}"
            );
        }
    }
}
