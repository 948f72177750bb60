//! The loop over the steps of a tile, the same for all formats.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use crate::kernel::tile::Tile;
use crate::kernel::vector::LINE_WORDS;
use crate::shape::LANES;

/// Vectors of 8 outputs of a panel.
pub(super) const VECTORS: usize = LANES / 8;

/// How the words of a format are multiplied.
///
/// # Safety
/// Every function requires that the processor has AVX2 and FMA. All are inlined into functions that are compiled for
/// these.
pub(super) trait Product {
    /// The sums of 8 outputs.
    type Sum: Copy;
    /// What the words of 8 outputs become before rows are multiplied by them.
    type Weights: Copy;
    /// What the words of a row become.
    type Value: Copy;
    /// Words of a row that a step has.
    const ROW_WORDS: usize;

    unsafe fn zero() -> Self::Sum;
    /// `words` points to those of 8 outputs.
    unsafe fn weights(words: *const u32) -> Self::Weights;
    /// `words` points to the first word of a row; the others follow at `stride`.
    unsafe fn value(words: *const u32, stride: usize) -> Self::Value;
    unsafe fn multiply_add(sum: Self::Sum, weights: Self::Weights, value: Self::Value)
    -> Self::Sum;
    unsafe fn add(sum: Self::Sum, summand: Self::Sum) -> Self::Sum;
}

/// How far a tile has been multiplied.
pub(super) struct Walk {
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
    pub(super) fn new(tile: &Tile<'_>) -> Self {
        Self {
            words: tile.words,
            panel_stride: tile.panel_stride,
            rows: tile.rows,
            ahead: tile.ahead,
            ahead_step: tile.ahead_step,
        }
    }

    /// The next words of the first panel.
    pub(super) fn words(&self) -> *const u32 {
        self.words
    }

    /// Skips words of all panels and returns those of the first.
    pub(super) fn skip(&mut self, words: usize) -> *const u32 {
        let skipped = self.words;
        self.words = skipped.wrapping_add(words);
        skipped
    }

    /// Multiplies the next steps and adds to the sums.
    ///
    /// # Safety
    /// As for [`multiply`]; there are so many steps left.
    #[inline(always)]
    pub(super) unsafe fn multiply<
        P: Product,
        const ROWS: usize,
        const PANELS: usize,
        const COLUMNS: usize,
    >(
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
            // SAFETY: the instruction reads nothing and ignores invalid addresses.
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
                if COLUMNS == VECTORS {
                    _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(LINE_WORDS).cast());
                }
            }
        }
        let step = self.ahead_step * COLUMNS / VECTORS;
        self.ahead = self.ahead.wrapping_add(step);
    }
}

/// Steps that are multiplied one after the other.
pub(super) struct Steps<W: Fn(usize) -> *const u32> {
    pub(super) count: usize,
    /// The words of a step of the first panel.
    pub(super) words_of: W,
    /// Words from one panel to the next.
    pub(super) panel_stride: usize,
    /// `[count, ROW_WORDS, ROWS]`
    pub(super) rows: *const u32,
}

/// Multiplies steps and adds to the sums, `COLUMNS` vectors of each panel at a time: as many as have room in registers.
///
/// # Shapes
/// - sums: `[PANELS, ROWS, VECTORS]`, not necessarily aligned
///
/// # Safety
/// The processor has AVX2 and FMA. The steps are of `ROWS` rows and `PANELS` panels, and there are so many sums.
#[inline(always)]
pub(super) unsafe fn multiply<
    P: Product,
    const ROWS: usize,
    const PANELS: usize,
    const COLUMNS: usize,
>(
    steps: &Steps<impl Fn(usize) -> *const u32>,
    sums: *mut P::Sum,
    mut prefetch: impl FnMut(),
) {
    for first in (0..VECTORS).step_by(COLUMNS) {
        // SAFETY: as the caller promises.
        unsafe {
            let mut rows = steps.rows;
            let mut added = [[[P::zero(); COLUMNS]; ROWS]; PANELS];
            for step in 0..steps.count {
                prefetch();
                let words = (steps.words_of)(step).add(8 * first);
                let mut weights = [[P::weights(words); COLUMNS]; PANELS];
                for panel in 0..PANELS {
                    for vector in 0..COLUMNS {
                        let words = words.add(panel * steps.panel_stride + 8 * vector);
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
                        let total = P::add(sum.read_unaligned(), added[panel][row][vector]);
                        sum.write_unaligned(total);
                    }
                }
            }
        }
    }
}
