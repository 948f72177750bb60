use super::geometry::{CropAxis, center_crop, resized};
use super::{ImageProcessorClass, ImageProcessorConfig, ResizeTo, RgbImage};
use crate::Error;

/// The largest number of pixels of an image between two resizes, which Donut's class has: 192 MiB.
const MAX_BETWEEN: u64 = 1 << 26;

/// How one image becomes its result; all pairs are `[height, width]`.
pub(super) struct Layout {
    /// Whether the image is turned by a quarter, clockwise, before everything else.
    pub(super) turned: bool,
    /// The size of a first resize, of the whole image.
    pub(super) between: Option<[u64; 2]>,
    /// The size of the resize of which a part is kept; that of the image itself if there is none.
    pub(super) resized: [u64; 2],
    /// Whether that resize makes an image smaller that does not fit into a page.
    pub(super) is_thumbnail: bool,
    /// The size of the result.
    pub(super) kept: [u64; 2],
    /// What the result shows of the resized image.
    pub(super) axes: [CropAxis; 2],
}

impl Layout {
    /// # Errors
    /// [`Error::ResultTooLarge`] and [`Error::Config`], as documented at
    /// [`ImageProcessor::process`](super::ImageProcessor::process).
    pub(super) fn new(config: &ImageProcessorConfig, image: &RgbImage) -> Result<Self, Error> {
        let original = [image.height(), image.width()];
        let layout = match (config.image_processor_type, config.size) {
            (ImageProcessorClass::Donut, ResizeTo::Exact { height, width }) => {
                Self::page(config, original, [height, width])?
            }
            _ => Self::resize_and_crop(config, original),
        };
        check_sides(layout.resized)?;
        // An image that is not resized has been in memory already, in whatever size.
        let pixels = original.map(u64::from).iter().product();
        let limit = ImageProcessorConfig::MAX_RESULT_PIXELS.max(pixels);
        check_area(layout.kept, limit)?;
        Ok(layout)
    }

    fn resize_and_crop(config: &ImageProcessorConfig, original: [u32; 2]) -> Self {
        let resized = match config.do_resize {
            true => resized(original, config.size),
            false => original.map(u64::from),
        };
        let crop = config.crop_size;
        let kept = match config.do_center_crop {
            true => [crop.height.into(), crop.width.into()],
            false => resized,
        };
        Self {
            turned: false,
            between: None,
            resized,
            is_thumbnail: false,
            kept,
            axes: [0, 1].map(|axis| center_crop(resized[axis], kept[axis], config.resize_backend)),
        }
    }

    /// The steps of `DonutImageProcessor`.
    fn page(
        config: &ImageProcessorConfig,
        original: [u32; 2],
        page: [u32; 2],
    ) -> Result<Self, Error> {
        let is_wide = |[height, width]: [u32; 2]| width.cmp(&height);
        let turned = config.do_align_long_axis
            && is_wide(page).is_ne()
            && is_wide(original) == is_wide(page).reverse();
        let mut sizes = vec![match turned {
            true => [original[1], original[0]].map(u64::from),
            false => original.map(u64::from),
        }];
        let [height, width] = page.map(u64::from);
        if config.do_resize {
            let upright = match turned {
                true => [original[1], original[0]],
                false => original,
            };
            let shortest_edge = page[0].min(page[1]);
            sizes.push(resized(upright, ResizeTo::ShortestEdge { shortest_edge }));
        }
        if config.do_thumbnail {
            let last = sizes[sizes.len() - 1];
            sizes.push(thumbnail(last, [height, width]));
        }
        let last = sizes[sizes.len() - 1];
        let between = match &sizes[..] {
            [_, between, last] if between != last => Some(*between),
            _ => None,
        };
        if let Some(between) = between {
            check_area(between, MAX_BETWEEN)?;
        }
        let mut kept = last;
        let mut axes = last.map(|length| CropAxis::padded(length, 0));
        if config.do_pad {
            if last[0] > height || last[1] > width {
                return Err(Error::Config {
                    key: "do_pad".to_owned(),
                    expected: format!("images of at most {height} x {width} before padding"),
                    found: format!("{} x {}", last[0], last[1]),
                });
            }
            kept = [height, width];
            axes = [0, 1].map(|axis| CropAxis::padded(last[axis], (kept[axis] - last[axis]) / 2));
        }
        if config.do_center_crop {
            let crop = [config.crop_size.height, config.crop_size.width].map(u64::from);
            let [rows, columns] = axes;
            let cropped = |axis: usize| center_crop(kept[axis], crop[axis], config.resize_backend);
            axes = [rows.cropped(cropped(0)), columns.cropped(cropped(1))];
            kept = crop;
        }
        Ok(Self {
            turned,
            between,
            resized: last,
            is_thumbnail: between.is_some() || !config.do_resize,
            kept,
            axes,
        })
    }
}

/// The size that an image is reduced to, so that it fits into a page in most cases (`DonutImageProcessor.thumbnail`).
fn thumbnail([height, width]: [u64; 2], page: [u64; 2]) -> [u64; 2] {
    let smaller = [height.min(page[0]), width.min(page[1])];
    if smaller == [height, width] {
        return smaller;
    }
    // One true division of integers, as in Python.
    let scaled = |side: u64, by: u64, of: u64| (side as f64 * by as f64 / of as f64) as u64;
    match height.cmp(&width) {
        std::cmp::Ordering::Greater => [smaller[0], scaled(width, smaller[0], height)],
        std::cmp::Ordering::Less => [scaled(height, smaller[1], width), smaller[1]],
        std::cmp::Ordering::Equal => smaller,
    }
}

fn check_sides([height, width]: [u64; 2]) -> Result<(), Error> {
    if height > 0 && width > 0 {
        return Ok(());
    }
    Err(Error::Config {
        key: "size".to_owned(),
        expected: "images whose sides stay at least 1 pixel long".to_owned(),
        found: format!("one that becomes {height} x {width}"),
    })
}

/// Refuses a buffer of more than `limit` pixels before it is allocated.
pub(super) fn check_area([height, width]: [u64; 2], limit: u64) -> Result<(), Error> {
    match height.checked_mul(width) {
        Some(pixels) if pixels <= limit => Ok(()),
        _ => Err(Error::ResultTooLarge {
            limit,
            height,
            width,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_keeps_its_aspect_ratio_and_a_small_image_its_size() {
        assert_eq!(thumbnail([300, 451], [64, 48]), [31, 48]);
        assert_eq!(thumbnail([451, 300], [64, 48]), [64, 42]);
        assert_eq!(thumbnail([90, 90], [64, 48]), [64, 48]);
        assert_eq!(thumbnail([60, 48], [64, 48]), [60, 48]);
    }

    #[test]
    fn an_image_that_vanishes_or_does_not_fit_is_refused() {
        let mut config = ImageProcessorClass::Donut.defaults();
        let image = |width, height| {
            RgbImage::new(width, height, vec![0; (width * height * 3) as usize]).unwrap()
        };
        let layout = |config: &ImageProcessorConfig, image| Layout::new(config, &image);
        config.size = ResizeTo::Exact {
            height: 64,
            width: 48,
        };
        assert_eq!(layout(&config, image(400, 23)).unwrap().resized, [2, 48]);
        let error = layout(&config, image(4000, 1)).err().unwrap();
        assert!(matches!(error, Error::Config { .. }), "{error}");
        config.do_thumbnail = false;
        let error = layout(&config, image(400, 23)).err().unwrap();
        assert!(matches!(error, Error::Config { .. }), "{error}");
        let error = layout(&ImageProcessorClass::Donut.defaults(), image(1, 1_000));
        assert!(matches!(error.err().unwrap(), Error::ResultTooLarge { .. }));
    }
}
