//! The loop over the steps of a tile, for kernels whose sums are in vectors of 8.

use super::prefetch::{prefetch_to_read, prefetch_to_second_cache};
use super::tile::Tile;
use super::vector::{LINE_WORDS, blocks};
use crate::shape::LANES;

/// Outputs of a vector.
const OUTPUTS: usize = 8;

/// Vectors of a panel.
const VECTORS: usize = LANES / OUTPUTS;

/// Steps that are multiplied by some vectors of one panel before the others come, and of two panels. What lies in memory
/// must still be in the first cache when the other vectors come.
const INTEGER_STEPS: [usize; 2] = [128, 16];

/// How the words of a format are multiplied.
///
/// All functions are inlined into functions that are compiled for the processor.
///
/// # Safety
/// Every function requires that the processor has the instructions.
pub(super) trait Product {
    type Sum: Sum;
    /// What the words of 8 outputs become before rows are multiplied by them.
    type Weights: Copy;
    /// What the words of a row become.
    type Value: Copy;
    /// Words of a row that a step has.
    const ROW_WORDS: usize;

    /// `words` points to those of 8 outputs.
    unsafe fn weights(words: *const u32) -> Self::Weights;
    /// `words` points to the first word of a row; the others follow at `stride`.
    unsafe fn value(words: *const u32, stride: usize) -> Self::Value;
    unsafe fn multiply_add(sum: Self::Sum, weights: Self::Weights, value: Self::Value)
    -> Self::Sum;
}

/// The sums of 8 outputs.
///
/// # Safety
/// As for [`Product`].
pub(super) trait Sum: Copy {
    unsafe fn zero() -> Self;
    unsafe fn add(self, summand: Self) -> Self;
}

/// Sums that are integers.
///
/// # Safety
/// As for [`Product`].
pub(super) trait IntegerSum: Sum {
    unsafe fn splat(value: i32) -> Self;
    /// Adds the sums times their scales to `to`. `scales` points to the 16 words of scales of a group, of which those of
    /// vector `vector` are taken.
    unsafe fn add_scaled(
        self,
        scales: *const u32,
        vector: usize,
        to: [f32; OUTPUTS],
    ) -> [f32; OUTPUTS];
}

/// Multiplies a tile of a format whose sums are `f32`.
///
/// # Safety
/// See [`TileFunction`](super::table::TileFunction). The processor has the instructions. The tile has `PANELS` panels.
#[inline(always)]
pub(super) unsafe fn float_tile<
    P: Product,
    const ROWS: usize,
    const PANELS: usize,
    const COLUMNS: usize,
>(
    tile: &Tile<'_>,
) {
    let mut walk = Walk::new(tile);
    // SAFETY: the tile has `steps` steps, and 32 sums for each row and panel.
    unsafe {
        // The sums of a part are added to those of the parts before, so that fewer additions follow each other.
        let mut total = [[[P::Sum::zero(); VECTORS]; ROWS]; PANELS];
        for block in blocks(tile.steps) {
            let total = total.as_mut_ptr().cast();
            walk.multiply::<P, ROWS, PANELS, COLUMNS>(block.len(), total);
        }
        for (index, total) in total.as_flattened().as_flattened().iter().enumerate() {
            let sum = tile.sums.cast::<P::Sum>().add(index);
            sum.write_unaligned(match tile.is_first {
                true => *total,
                false => sum.read_unaligned().add(*total),
            });
        }
    }
}

/// Multiplies a tile of a format whose sums are integers.
///
/// # Safety
/// See [`TileFunction`](super::table::TileFunction). The processor has the instructions. The tile has `PANELS` panels.
#[inline(always)]
pub(super) unsafe fn integer_tile<
    P: Product<Sum: IntegerSum>,
    const ROWS: usize,
    const PANELS: usize,
    const COLUMNS: usize,
>(
    tile: &Tile<'_>,
) {
    let mut walk = Walk::new(tile);
    let mut starts = tile.starts;
    // SAFETY: the tile has `groups` groups. Each has 16 words of scales, `steps` steps, `ROWS` starts, and 32 sums for
    // each row and panel.
    unsafe {
        for group in 0..tile.groups {
            let scales = walk.skip(LANES / 2);
            let mut integers = [[[P::Sum::zero(); VECTORS]; ROWS]; PANELS];
            for row in 0..ROWS {
                let start = P::Sum::splat(*starts.add(row));
                for panel in 0..PANELS {
                    integers[panel][row] = [start; VECTORS];
                }
            }
            starts = starts.add(ROWS);
            let words = walk.words;
            let mut left = tile.steps;
            while left > 0 {
                let steps = left.min(INTEGER_STEPS[PANELS - 1]);
                let sums = integers.as_mut_ptr().cast();
                walk.multiply::<P, ROWS, PANELS, COLUMNS>(steps, sums);
                left -= steps;
            }
            if !tile.excess_starts.is_empty() {
                for row in 0..ROWS {
                    for panel in 0..PANELS {
                        let words = words.add(panel * tile.panel_stride);
                        let sums = &mut integers[panel][row];
                        add_excess::<P>(tile, group * ROWS + row, words, sums);
                    }
                }
            }
            let is_first = group == 0 && tile.is_first;
            for panel in 0..PANELS {
                let scales = scales.add(panel * tile.panel_stride);
                for row in 0..ROWS {
                    for vector in 0..VECTORS {
                        let sums = tile.sums.add(panel * ROWS + row);
                        let sums = sums.cast::<[f32; OUTPUTS]>().add(vector);
                        let to = if is_first { [0.0; OUTPUTS] } else { *sums };
                        *sums = integers[panel][row][vector].add_scaled(scales, vector, to);
                    }
                }
            }
        }
    }
}

/// Adds what a row has in excess. `place` is the number of the row among those of all groups, `words` are those of the
/// group in a panel.
///
/// # Safety
/// The processor has the instructions. The tile was made for such a panel.
#[inline(always)]
unsafe fn add_excess<P: Product<Sum: IntegerSum>>(
    tile: &Tile<'_>,
    place: usize,
    words: *const u32,
    sums: &mut [P::Sum; VECTORS],
) {
    let [start, end] = [place, place + 1].map(|place| tile.excess_starts[place] as usize);
    let (numbers, rows) = (
        &tile.excess_steps[start..end],
        &tile.excess_words[start..end],
    );
    let steps = Steps {
        count: numbers.len(),
        words_of: |index| {
            // SAFETY: there are `count` numbers.
            words.wrapping_add(unsafe { *numbers.get_unchecked(index) } as usize * LANES)
        },
        panel_stride: 0,
        rows: rows.as_ptr(),
    };
    // SAFETY: the group has these steps.
    unsafe { multiply::<P, 1, 1, VECTORS>(&steps, sums.as_mut_ptr(), || ()) };
}

/// How far a tile has been multiplied.
struct Walk {
    /// The next words of the first panel.
    words: *const u32,
    /// Words from one panel to the next.
    panel_stride: usize,
    /// The next words of the rows.
    rows: *const u32,
    /// What is prefetched next for the first panel.
    ahead: *const u32,
    /// Words by which `ahead` moves on with each step.
    ahead_step: usize,
}

impl Walk {
    fn new(tile: &Tile<'_>) -> Self {
        Self {
            words: tile.words,
            panel_stride: tile.panel_stride,
            rows: tile.rows,
            ahead: tile.ahead,
            ahead_step: tile.ahead_step,
        }
    }

    /// Skips words of all panels and returns those of the first.
    fn skip(&mut self, words: usize) -> *const u32 {
        let skipped = self.words;
        self.words = skipped.wrapping_add(words);
        skipped
    }

    /// Multiplies the next steps and adds to the sums.
    ///
    /// # Safety
    /// As for [`multiply`]; there are so many steps left.
    #[inline(always)]
    unsafe fn multiply<P: Product, const ROWS: usize, const PANELS: usize, const COLUMNS: usize>(
        &mut self,
        count: usize,
        sums: *mut P::Sum,
    ) {
        let words = self.words;
        let steps = Steps {
            count,
            words_of: |step| words.wrapping_add(step * LANES),
            panel_stride: self.panel_stride,
            rows: self.rows,
        };
        let prefetch = || self.prefetch::<PANELS, COLUMNS>();
        // SAFETY: as the caller promises.
        unsafe { multiply::<P, ROWS, PANELS, COLUMNS>(&steps, sums, prefetch) };
        self.words = words.wrapping_add(count * LANES);
        self.rows = self.rows.wrapping_add(count * P::ROW_WORDS * ROWS);
    }

    /// Prefetches the share of a step, each of which is passed over once for every `COLUMNS` vectors.
    #[inline(always)]
    fn prefetch<const PANELS: usize, const COLUMNS: usize>(&mut self) {
        for panel in 0..PANELS {
            let ahead = self.ahead.wrapping_add(panel * self.panel_stride);
            for line in 0..(2 * COLUMNS).div_ceil(VECTORS) {
                let line = ahead.wrapping_add(line * LINE_WORDS);
                // With one panel, mostly words of the next panel, which must wait until all blocks of rows had this one.
                match PANELS {
                    1 => prefetch_to_second_cache(line),
                    _ => prefetch_to_read(line),
                }
            }
        }
        let step = self.ahead_step * COLUMNS / VECTORS;
        self.ahead = self.ahead.wrapping_add(step);
    }
}

/// Steps that are multiplied one after the other.
struct Steps<W: Fn(usize) -> *const u32> {
    count: usize,
    /// The words of a step of the first panel.
    words_of: W,
    /// Words from one panel to the next.
    panel_stride: usize,
    /// `[count, ROW_WORDS, ROWS]`
    rows: *const u32,
}

/// Multiplies steps and adds to the sums, `COLUMNS` vectors of each panel at a time: as many as have room in registers.
///
/// # Shapes
/// - sums: `[PANELS, ROWS, VECTORS]`, not necessarily aligned
///
/// # Safety
/// The processor has the instructions. The steps are of `ROWS` rows and `PANELS` panels, and there are so many sums.
#[inline(always)]
unsafe fn multiply<P: Product, const ROWS: usize, const PANELS: usize, const COLUMNS: usize>(
    steps: &Steps<impl Fn(usize) -> *const u32>,
    sums: *mut P::Sum,
    mut prefetch: impl FnMut(),
) {
    for first in (0..VECTORS).step_by(COLUMNS) {
        // SAFETY: as the caller promises.
        unsafe {
            let mut rows = steps.rows;
            let mut added = [[[P::Sum::zero(); COLUMNS]; ROWS]; PANELS];
            for step in 0..steps.count {
                prefetch();
                let words = (steps.words_of)(step).add(OUTPUTS * first);
                let mut weights = [[P::weights(words); COLUMNS]; PANELS];
                for panel in 0..PANELS {
                    for vector in 0..COLUMNS {
                        let words = words.add(panel * steps.panel_stride + OUTPUTS * vector);
                        weights[panel][vector] = P::weights(words);
                    }
                }
                for row in 0..ROWS {
                    let value = P::value(rows.add(row), ROWS);
                    for panel in 0..PANELS {
                        for vector in 0..COLUMNS {
                            let sum = &mut added[panel][row][vector];
                            *sum = P::multiply_add(*sum, weights[panel][vector], value);
                        }
                    }
                }
                rows = rows.add(P::ROW_WORDS * ROWS);
            }
            for panel in 0..PANELS {
                for row in 0..ROWS {
                    for vector in 0..COLUMNS {
                        let sum = sums.add((panel * ROWS + row) * VECTORS + first + vector);
                        let total = sum.read_unaligned().add(added[panel][row][vector]);
                        sum.write_unaligned(total);
                    }
                }
            }
        }
    }
}
