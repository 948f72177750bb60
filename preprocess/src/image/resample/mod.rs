//! Pillow's `Image.resize` for 8-bit RGB images, bit for bit.
//!
//! A convolution has two passes, one along rows and one along columns, and pixels are rounded and clipped to 8 bits
//! between them. Another order or a wider intermediate type gives other pixels, on hard edges by more than twenty grey
//! levels. Weights are computed in `f64` and rounded to 22 fraction bits. The nearest neighbour is a separate method.
//!
//! The reference is Pillow 13. Earlier releases differ if the height shrinks by more than twice as many pixels as the
//! width, as when a tall image is reduced: they always begin with the pass along rows.

mod filter;
mod nearest;
mod passes;
mod taps;
mod torchvision;
mod without_antialias;

use std::ops::Range;

pub use filter::Resample;

use super::layout::check_area;
use super::{Backend, RgbImage};
use crate::{Error, MAX_PIXELS};

/// The largest number of pixels after the first pass of torchvision's resize, which goes over all lines of an image: only an
/// image of extreme proportions has more, and would take minutes.
const MAX_FILTERED: u64 = 1 << 28;

/// Resizes `image` to `width` x `height` pixels exactly as Pillow's `image.resize((width, height), resample)`.
///
/// ```
/// use preprocess::image::{Resample, RgbImage, resize};
///
/// let image = RgbImage::new(2, 1, vec![0, 0, 0, 200, 100, 50])?;
/// let mean = resize(&image, 1, 1, Resample::Box)?;
/// assert_eq!(mean.pixels(), [100, 50, 25]);
/// # Ok::<(), preprocess::Error>(())
/// ```
///
/// # Errors
/// [`Error::ImageShape`] if `width` or `height` is zero; [`Error::ResultTooLarge`] if the result would have more than
/// [`MAX_PIXELS`] pixels.
pub fn resize(
    image: &RgbImage,
    width: u32,
    height: u32,
    resample: Resample,
) -> Result<RgbImage, Error> {
    let pixels = resize_window(
        image,
        [u64::from(height), u64::from(width)],
        [0..u64::from(height), 0..u64::from(width)],
        resample,
        Backend::Pil,
    )?;
    RgbImage::new(width, height, pixels)
}

/// The rows and columns `window` of `image` resized to `target` (both `[height, width]`), as `[rows, columns, 3]`.
///
/// Only the window is computed, so time and memory depend on the window and the image, not on the target: a centre crop
/// of an image of 1 x 10,000 pixels costs no more than that of a square image.
pub(super) fn resize_window(
    image: &RgbImage,
    target: [u64; 2],
    window: [Range<u64>; 2],
    resample: Resample,
    backend: Backend,
) -> Result<Vec<u8>, Error> {
    let [height, width] = target.map(to_usize);
    let [rows, columns] = window.map(|range| to_usize(range.start)..to_usize(range.end));
    if rows.is_empty() || columns.is_empty() {
        return Ok(Vec::new());
    }
    check_area([rows.len() as u64, columns.len() as u64], MAX_PIXELS)?;
    if backend == Backend::Torchvision {
        check_area([image.height().into(), columns.len() as u64], MAX_FILTERED)?;
    }
    let (target, window) = ([height, width], [rows, columns]);
    Ok(match (backend, resample.kernel()) {
        (Backend::TorchvisionWithoutAntialias, _) => {
            without_antialias::interpolate(image, target, window)
        }
        (Backend::Torchvision, Some(kernel)) => {
            torchvision::convolve(image, target, window, &kernel)
        }
        (Backend::Pil, Some(kernel)) => passes::convolve(image, target, window, &kernel),
        (_, None) => nearest::resize(image, target, window),
    })
}

/// Saturates on targets with narrower addresses; [`check_area`] refuses windows that large.
fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: u32, height: u32) -> RgbImage {
        let bytes = (0..width * height * 3).map(|i| (i * 37 % 251) as u8);
        RgbImage::new(width, height, bytes.collect()).unwrap()
    }

    #[test]
    fn the_same_size_gives_the_same_pixels() {
        let image = gradient(13, 7);
        for resample in Resample::ALL {
            assert_eq!(resize(&image, 13, 7, resample).unwrap(), image);
        }
        for backend in Backend::ALL {
            let (size, window) = ([7, 13], [0..7, 0..13]);
            let pixels = resize_window(&image, size, window, Resample::Bicubic, backend);
            assert_eq!(pixels.unwrap(), image.pixels());
        }
    }

    #[test]
    fn a_window_shows_the_pixels_of_the_whole_result() {
        let image = gradient(31, 17);
        let of_pillow = Resample::ALL.map(|resample| (resample, Backend::Pil));
        let others = [Backend::Torchvision, Backend::TorchvisionWithoutAntialias]
            .map(|backend| (Resample::Bicubic, backend));
        for (resample, backend) in of_pillow.into_iter().chain(others) {
            for (width, height) in [(12, 40), (50, 9), (31, 5), (8, 17)] {
                let target = [height, width];
                let whole = target.map(|side| 0..side);
                let whole = resize_window(&image, target, whole, resample, backend).unwrap();
                let window = [2..5, 3..7];
                let part = resize_window(&image, target, window, resample, backend).unwrap();
                for (row, line) in part.chunks(4 * 3).enumerate() {
                    let start = ((row + 2) * width as usize + 3) * 3;
                    assert_eq!(line, &whole[start..start + 4 * 3], "{resample:?} {backend}");
                }
            }
        }
    }

    #[test]
    fn an_enormous_result_is_refused_before_it_is_allocated() {
        let image = gradient(2, 2);
        for (width, height) in [(u32::MAX, u32::MAX), (20_000, 20_000)] {
            let error = resize(&image, width, height, Resample::Bicubic).unwrap_err();
            assert!(matches!(error, Error::ResultTooLarge { .. }), "{error}");
        }
    }

    #[test]
    fn a_side_of_zero_is_refused() {
        let error = resize(&gradient(2, 2), 0, 5, Resample::Box).unwrap_err();
        assert!(matches!(error, Error::ImageShape { .. }), "{error}");
    }
}
