use super::prefetch::prefetch_to_read;
use super::vector::{LINE_WORDS, Vector};

/// How far ahead rows are fetched, in words. There are more rows than the streams that processors follow.
const WORDS_AHEAD: usize = 3 * LINE_WORDS;

/// Writes the first value of some rows, then the second value of each, and so on.
///
/// # Shapes
/// - rows: `[rows, length]`, at most [`LINE_WORDS`] rows that are `stride` apart
/// - target: `[length, rows]`, `target_stride` apart
///
/// # Safety
/// The processor has the instructions of the vector, and the rows and targets exist.
#[inline(always)]
pub(super) unsafe fn interleave<V: Vector>(
    (values, stride): (*const f32, usize),
    [rows, length]: [usize; 2],
    (target, target_stride): (*mut f32, usize),
) {
    // The compiler keeps lines in registers if it knows their number.
    // SAFETY: as the caller promises.
    unsafe {
        match rows {
            12 => lines::<V>((values, stride), [12, length], (target, target_stride)),
            16 => lines::<V>((values, stride), [16, length], (target, target_stride)),
            _ => lines::<V>((values, stride), [rows, length], (target, target_stride)),
        }
    }
}

/// # Safety
/// See [`interleave`].
#[inline(always)]
unsafe fn lines<V: Vector>(
    (values, stride): (*const f32, usize),
    [rows, length]: [usize; 2],
    (target, target_stride): (*mut f32, usize),
) {
    let mut block = [[0_u32; LINE_WORDS]; LINE_WORDS];
    let whole = length / LINE_WORDS * LINE_WORDS;
    // SAFETY: as the caller promises; columns are below the length.
    unsafe {
        for column in (0..whole).step_by(LINE_WORDS) {
            for row in 0..rows {
                let line = values.add(row * stride + column);
                prefetch_to_read(line.wrapping_add(WORDS_AHEAD));
                block[row] = line.cast::<[u32; LINE_WORDS]>().read_unaligned();
            }
            let target = target.add(column * target_stride).cast();
            V::spread(&block, [rows, LINE_WORDS], target, target_stride);
        }
        if whole < length {
            for row in 0..rows {
                let line = values.add(row * stride + whole).cast();
                std::ptr::copy_nonoverlapping(line, block[row].as_mut_ptr(), length - whole);
            }
            let target = target.add(whole * target_stride).cast();
            V::spread(&block, [rows, length - whole], target, target_stride);
        }
    }
}
