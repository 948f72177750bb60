use super::prefetch::prefetch_to_write;
use crate::shape::LANES;

/// The memory of an output that several threads write to, each to its own part.
#[derive(Clone, Copy)]
pub(super) struct Output(*mut f32);

// SAFETY: the functions that write require that no other thread accesses the same part.
unsafe impl Send for Output {}
// SAFETY: the functions that write require that no other thread accesses the same part.
unsafe impl Sync for Output {}

impl Output {
    pub(super) fn new(output: &mut [f32]) -> Self {
        Self(output.as_mut_ptr())
    }

    /// Empties a vector and reserves room for `count` elements, all of which are to be written.
    pub(super) fn with_room(output: &mut Vec<f32>, count: usize) -> Self {
        output.clear();
        output.reserve_exact(count);
        Self(output.as_mut_ptr())
    }

    /// The memory of a vector with all its capacity.
    #[cfg(feature = "autodiff")]
    pub(super) fn new_in(output: &mut Vec<f32>) -> Self {
        Self(output.as_mut_ptr())
    }

    /// # Safety
    /// The output has more than `index` elements.
    pub(super) unsafe fn at(self, index: usize) -> *mut f32 {
        // SAFETY: as the caller promises.
        unsafe { self.0.add(index) }
    }

    /// # Safety
    /// The output has room for the values from `index` on, and no other thread accesses these elements.
    pub(super) unsafe fn write(self, index: usize, values: &[f32]) {
        // SAFETY: as the caller promises; the slice is not part of the output, which is borrowed mutably.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.0.add(index), values.len()) };
    }

    /// The columns of panel `panel` in the rows from `first_row` on, of an output `[.., outputs]`.
    pub(super) fn columns(
        self,
        panel: usize,
        [first_row, rows]: [usize; 2],
        outputs: usize,
    ) -> Columns {
        let first = panel * LANES;
        Columns {
            start: self.0.wrapping_add(first_row * outputs + first),
            rows,
            stride: outputs,
            first,
            count: LANES.min(outputs - first),
        }
    }
}

/// A block of rows and a panel's columns of an output.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    /// The first column of the first row.
    pub(super) start: *mut f32,
    rows: usize,
    /// Elements from one row to the next.
    pub(super) stride: usize,
    /// The index of the first column.
    pub(super) first: usize,
    /// Columns, at most [`LANES`].
    pub(super) count: usize,
}

impl Columns {
    /// Columns of an output from element `start` on.
    #[cfg(feature = "autodiff")]
    pub(super) fn new(
        output: Output,
        start: usize,
        [rows, stride]: [usize; 2],
        [first, count]: [usize; 2],
    ) -> Self {
        Self {
            start: output.0.wrapping_add(start),
            rows,
            stride,
            first,
            count,
        }
    }

    /// Fetches the cache lines that are going to be written.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        for row in 0..self.rows {
            let line = self.start.wrapping_add(row * self.stride);
            prefetch_to_write(line);
            prefetch_to_write(line.wrapping_add(LANES / 2));
        }
    }
}
