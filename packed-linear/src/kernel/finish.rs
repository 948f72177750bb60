use super::functions::{QUICK_GELU, gelu, swish};
use super::output::Columns;
use super::tile::Sums;
use super::vector::Vector;
use crate::Activation;
use crate::epilogue::Epilogue;
use crate::shape::LANES;

/// Applies the epilogue to the sums of a block of rows, one panel of outputs, and writes the results.
///
/// # Shapes
/// - sums, scales: `[rows]`; each row's sums are multiplied by its scale first
///
/// # Safety
/// The processor has the instructions of the vector. The output has room for these rows and columns, which
/// no other thread accesses, and holds values if the epilogue adds to them.
#[inline(always)]
pub(super) unsafe fn finish<V: Vector>(
    epilogue: &Epilogue<'_>,
    sums: &[Sums],
    scales: &[f32],
    columns: Columns,
) {
    let Columns { first, count, .. } = columns;
    let mut bias = [0.0; LANES];
    if let Some(all) = epilogue.bias {
        bias[..count].copy_from_slice(&all[first..first + count]);
    }
    for row in 0..sums.len() {
        let (sums, scale) = (&sums[row], scales[row]);
        // SAFETY: as the caller promises.
        unsafe {
            let output = columns.start.add(row * columns.stride);
            if count == LANES {
                finish_row::<V>(epilogue, sums, scale, &bias, output);
                continue;
            }
            // The last panel has fewer outputs, so it is finished in a buffer.
            let mut finished = [0.0; LANES];
            if epilogue.is_added {
                std::ptr::copy_nonoverlapping(output, finished.as_mut_ptr(), count);
            }
            finish_row::<V>(epilogue, sums, scale, &bias, finished.as_mut_ptr());
            std::ptr::copy_nonoverlapping(finished.as_ptr(), output, count);
        }
    }
}

/// Finishes one row, all outputs of a panel.
///
/// # Safety
/// The processor has the instructions of the vector; `output` points to [`LANES`] elements.
#[inline(always)]
unsafe fn finish_row<V: Vector>(
    epilogue: &Epilogue<'_>,
    sums: &Sums,
    scale: f32,
    bias: &[f32; LANES],
    output: *mut f32,
) {
    // SAFETY: as the caller promises; the sums and the bias have `LANES` elements too.
    unsafe {
        let scale = V::splat(scale);
        let mut at = 0;
        while at < LANES {
            let bias = V::load(bias.as_ptr().add(at));
            let sum = V::load(sums.as_ptr().add(at)).multiply_add(scale, bias);
            let mut value = match epilogue.activation {
                Some(Activation::Gelu) => gelu(sum),
                Some(Activation::QuickGelu) => swish(sum, QUICK_GELU),
                Some(Activation::Relu) => sum.at_least(0.0),
                Some(Activation::Silu) => swish(sum, 1.0),
                None => sum,
            };
            if epilogue.is_added {
                let present = V::load(output.add(at));
                value = value.add(present);
            }
            value.store(output.add(at));
            at += V::WIDTH;
        }
    }
}
