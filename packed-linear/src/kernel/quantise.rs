use super::vector::ROUNDING;

/// Rounds a row to integers from -127 to 127 times a scale, which is returned. Elements beyond the row
/// become 0.
#[inline(always)]
pub(super) fn quantise(values: &[f32], integers: &mut [i8]) -> f32 {
    // The bits of non-negative floats are ordered as the floats are, with infinity and then NaN on top.
    let mut largest = 0;
    for value in values {
        largest = largest.max(value.abs().to_bits());
    }
    let largest = f32::from_bits(largest);
    // The product of a row with an infinity or a NaN means nothing.
    let scale = match largest.is_finite() {
        true => largest / 127.0,
        false => f32::NAN,
    };
    let inverse = if scale > 0.0 { 127.0 / largest } else { 0.0 };
    let (row, rest) = integers.split_at_mut(values.len());
    for at in 0..row.len() {
        // `round_ties_even`, which is slow on processors without an instruction for it.
        row[at] = (values[at] * inverse + ROUNDING).to_bits() as i8;
    }
    rest.fill(0);
    scale
}
