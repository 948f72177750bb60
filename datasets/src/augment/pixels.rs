//! Changes that move whole pixels.

use preprocess::Error;
use preprocess::image::RgbImage;

/// The image with left and right exchanged.
pub(super) fn flipped(image: RgbImage) -> Result<RgbImage, Error> {
    let (width, height) = (image.width(), image.height());
    let mut bytes = image.into_pixels();
    for row in bytes.chunks_exact_mut(width as usize * 3) {
        row.as_chunks_mut::<3>().0.reverse();
    }
    RgbImage::new(width, height, bytes)
}

/// A part of an image, which lies within it.
pub(super) fn cropped(
    image: &RgbImage,
    [top, left]: [u32; 2],
    [height, width]: [u32; 2],
) -> Result<RgbImage, Error> {
    let row_bytes = image.width() as usize * 3;
    let rows = image
        .pixels()
        .chunks_exact(row_bytes)
        .skip(top as usize)
        .take(height as usize);
    let columns = left as usize * 3..(left + width) as usize * 3;
    let bytes = rows
        .flat_map(|row| &row[columns.clone()])
        .copied()
        .collect();
    RgbImage::new(width, height, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_and_right_are_exchanged_and_parts_cut_out() {
        let image = RgbImage::new(2, 2, (0..12).collect()).unwrap();
        assert_eq!(
            flipped(image.clone()).unwrap().pixels(),
            [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]
        );
        assert_eq!(
            cropped(&image, [1, 1], [1, 1]).unwrap().pixels(),
            [9, 10, 11]
        );
    }
}
