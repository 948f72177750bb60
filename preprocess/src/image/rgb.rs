use crate::Error;

/// An 8-bit RGB image in memory.
///
/// Rows run from top to bottom, pixels from left to right, and each pixel is three bytes: red, green, blue. Neither side
/// is ever zero. The crate has this type, instead of using one of an imaging crate, so that images from a camera, a
/// video decoder or any version of any imaging crate can be processed: they only need a `Vec<u8>` in common.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl RgbImage {
    /// An image of `width * height * 3` bytes, row after row.
    ///
    /// # Errors
    /// [`Error::ImageShape`] if a side is zero or there is another number of bytes.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, Error> {
        let expected = (u64::from(width) * u64::from(height)).checked_mul(3);
        if expected == Some(0) || expected != u64::try_from(pixels.len()).ok() {
            return Err(Error::ImageShape {
                width,
                height,
                bytes: pixels.len(),
            });
        }
        Ok(Self {
            width,
            height,
            pixels,
        })
    }

    /// Number of pixels from left to right, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Number of pixels from top to bottom, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes, `[height, width, 3]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The bytes, `[height, width, 3]`, without a copy.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The image turned by a quarter, clockwise.
    pub(super) fn turned_clockwise(&self) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let (pixels, _) = self.pixels.as_chunks::<3>();
        let mut turned = Vec::with_capacity(self.pixels.len());
        for column in 0..width {
            for row in (0..height).rev() {
                turned.extend(pixels[row * width + column]);
            }
        }
        Self {
            width: self.height,
            height: self.width,
            pixels: turned,
        }
    }
}

impl std::fmt::Debug for RgbImage {
    /// Shows only the size: the bytes of a photograph would flood a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RgbImage")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused() {
        for (width, height, bytes) in [(2, 2, 11), (2, 2, 13), (0, 2, 0), (2, 0, 0)] {
            let error = RgbImage::new(width, height, vec![0; bytes]).unwrap_err();
            assert!(matches!(error, Error::ImageShape { .. }), "{error}");
        }
        assert!(RgbImage::new(u32::MAX, u32::MAX, vec![0; 3]).is_err());
    }

    #[test]
    fn a_quarter_clockwise_puts_the_left_column_on_top_from_below() {
        let image = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let turned = image.turned_clockwise();
        assert_eq!((turned.width(), turned.height()), (1, 2));
        assert_eq!(turned.pixels(), [1, 2, 3, 4, 5, 6]);
        let turned = turned.turned_clockwise();
        assert_eq!(turned.pixels(), [4, 5, 6, 1, 2, 3]);
    }

    #[test]
    fn a_buffer_of_the_right_length_is_kept_as_it_is() {
        let image = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(image.pixels(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(image.into_pixels(), [1, 2, 3, 4, 5, 6]);
    }
}
