//! The tile of `f32` products in training, whose panels are aligned to cache lines.

use std::arch::x86_64::*;

use crate::kernel::tile::Tile;
use crate::shape::LANES;

/// Steps whose products are added up in sequence. The rounding error of a sum grows with their number, and what
/// they become is added to memory.
const BLOCK: usize = 128;

/// How many words ahead a panel is fetched from the second cache to the first. The processor's own prefetching
/// does not keep up with two lines per step.
const WORDS_AHEAD: usize = 16 * LANES;

/// # Safety
/// See [`TileFunction`](crate::kernel::table::TileFunction). The processor has the target features.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut ahead) = (tile.words, tile.rows, tile.ahead);
    let mut left = tile.steps;
    let mut is_first = tile.is_first;
    // SAFETY: the tile has `steps` times 32 words, `steps` times `ROWS` words of the rows and `ROWS` sums.
    // Prefetching reads nothing and ignores invalid addresses.
    unsafe {
        while left > 0 {
            let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
            let steps = left.min(BLOCK);
            for _ in 0..steps {
                let low = _mm512_loadu_ps(words.cast());
                let high = _mm512_loadu_ps(words.add(16).cast());
                let next = words.wrapping_add(WORDS_AHEAD);
                _mm_prefetch::<_MM_HINT_T0>(next.cast());
                _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(16).cast());
                _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
                for row in 0..ROWS {
                    let value = _mm512_set1_ps(f32::from_bits(*rows.add(row)));
                    sums[row][0] = _mm512_fmadd_ps(low, value, sums[row][0]);
                    sums[row][1] = _mm512_fmadd_ps(high, value, sums[row][1]);
                }
                words = words.add(LANES);
                rows = rows.add(ROWS);
                ahead = ahead.wrapping_add(tile.ahead_step);
            }
            for row in 0..ROWS {
                for vector in 0..2 {
                    let total = tile.sums.add(row).cast::<f32>().add(16 * vector);
                    let sum = match is_first {
                        true => sums[row][vector],
                        false => _mm512_add_ps(_mm512_loadu_ps(total), sums[row][vector]),
                    };
                    _mm512_storeu_ps(total, sum);
                }
            }
            is_first = false;
            left -= steps;
        }
    }
}
