use std::ops::Range;

use super::{Backend, ResizeTo};

/// The `[height, width]` that an image of `[height, width]` is resized to.
///
/// The long edge is truncated, not rounded (`get_resize_output_image_size` in Hugging Face's `image_transforms.py`):
/// `int(size * long / short)`, with one true division, which `f64` repeats exactly.
pub(super) fn resized(image: [u32; 2], to: ResizeTo) -> [u64; 2] {
    let [height, width] = image;
    match to {
        ResizeTo::Exact { height, width } => [height.into(), width.into()],
        ResizeTo::ShortestEdge { shortest_edge } => {
            let short = height.min(width);
            let long = u64::from(shortest_edge) * u64::from(height.max(width));
            let long = (long as f64 / f64::from(short)) as u64;
            if width <= height {
                [long, shortest_edge.into()]
            } else {
                [shortest_edge.into(), long]
            }
        }
        ResizeTo::Edges {
            shortest_edge,
            longest_edge,
        } => with_longest_edge(image, shortest_edge.into(), longest_edge.into()),
    }
}

/// `get_size_with_aspect_ratio` of Hugging Face's `image_transforms.py`, with its order of operations.
fn with_longest_edge(image: [u32; 2], shortest: f64, longest: f64) -> [u64; 2] {
    let [height, width] = image.map(f64::from);
    let (short, long) = (height.min(width), height.max(width));
    let exact = match long / short * shortest > longest {
        true => longest * short / long,
        false => shortest,
    };
    let edge = exact.round_ties_even();
    if short == edge {
        return image.map(u64::from);
    }
    // Without the limit, the edge is an integer and equals the exact one.
    let scaled = |side: f64, other: f64| (exact * side / other) as u64;
    if width < height {
        [scaled(height, width), edge as u64]
    } else {
        [edge as u64, scaled(width, height)]
    }
}

/// One axis of a centre crop or of padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CropAxis {
    /// The positions of the image that the crop keeps.
    pub(super) source: Range<u64>,
    /// The length of the padding before them, if the image is smaller than the crop.
    pub(super) before: u64,
}

/// The centre `crop` positions of an axis of `length`.
///
/// Implementations round an odd difference in other ways. Hugging Face's `center_crop` for Pillow lets a larger image lose
/// one position more at its end and gives a smaller image one position more of padding at its start. Its
/// `center_crop` for torchvision pads one more at the end. torchvision's own also pads at the end, and rounds the margin that a larger
/// image loses at its start to the even neighbour, as Python's `round` does.
pub(super) fn center_crop(length: u64, crop: u64, backend: Backend) -> CropAxis {
    if length >= crop {
        let margin = length - crop;
        let start = match backend {
            Backend::Pil | Backend::Torchvision => margin / 2,
            // x.5 goes to the even neighbour: up from 1.5, down from 2.5.
            Backend::TorchvisionWithoutAntialias => margin / 2 + u64::from(margin % 4 == 3),
        };
        CropAxis {
            source: start..start + crop,
            before: 0,
        }
    } else {
        let padding = crop - length;
        CropAxis {
            source: 0..length,
            before: match backend {
                Backend::Pil => padding.div_ceil(2),
                Backend::Torchvision | Backend::TorchvisionWithoutAntialias => padding / 2,
            },
        }
    }
}

impl CropAxis {
    /// The whole axis, with padding before it.
    pub(super) fn padded(length: u64, before: u64) -> Self {
        Self {
            source: 0..length,
            before,
        }
    }

    /// What `crop`, a crop of this axis after its padding, keeps of the image itself.
    pub(super) fn cropped(self, crop: Self) -> Self {
        let first = self.before;
        let end = first + (self.source.end - self.source.start);
        let start = crop.source.start.clamp(first, end);
        let last = crop.source.end.clamp(start, end);
        Self {
            source: start - first..last - first,
            before: crop.before + start.saturating_sub(crop.source.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_edge_is_truncated() {
        let to = ResizeTo::ShortestEdge { shortest_edge: 64 };
        assert_eq!(resized([300, 451], to), [64, 96]); // 96.2
        assert_eq!(resized([399, 261], to), [97, 64]); // 97.8
        assert_eq!(resized([1, 10_000], to), [64, 640_000]);
        assert_eq!(resized([1, 1], to), [64, 64]);
        let widest = ResizeTo::ShortestEdge {
            shortest_edge: u32::MAX,
        };
        assert_eq!(resized([u32::MAX, 1], widest)[1], u64::from(u32::MAX));
    }

    #[test]
    fn a_longest_edge_limits_the_other() {
        // As get_size_with_aspect_ratio of transformers 5.24.
        let to = ResizeTo::Edges {
            shortest_edge: 64,
            longest_edge: 100,
        };
        for (image, expected) in [
            ([300, 451], [64, 96]),
            ([451, 300], [96, 64]),
            ([400, 23], [100, 6]),
            ([23, 400], [6, 100]),
            ([64, 90], [64, 90]),
            ([230, 230], [64, 64]),
            ([1, 10_000], [0, 100]),
        ] {
            assert_eq!(resized(image, to), expected, "{image:?}");
        }
    }

    #[test]
    fn an_odd_difference_is_cut_at_the_end_and_padded_at_the_start() {
        let cut = CropAxis {
            source: 1..5,
            before: 0,
        };
        assert_eq!(center_crop(7, 4, Backend::Pil), cut);
        assert_eq!(center_crop(7, 4, Backend::Torchvision), cut);
        let padded = |before| CropAxis::padded(4, before);
        assert_eq!(center_crop(4, 7, Backend::Pil), padded(2));
        assert_eq!(center_crop(4, 7, Backend::Torchvision), padded(1));
    }

    #[test]
    fn the_margin_of_torchvision_is_rounded_to_even() {
        // round(x / 2) in Python.
        let starts = [0, 0, 1, 2, 2, 2, 3, 4, 4];
        for (margin, expected) in (0..).zip(starts) {
            let axis = center_crop(10 + margin, 10, Backend::TorchvisionWithoutAntialias);
            assert_eq!(axis.source, expected..expected + 10);
        }
    }

    #[test]
    fn a_crop_of_padding_keeps_the_image_where_it_was() {
        let padded = CropAxis::padded(4, 3); // 3 + 4 + more
        let crop = |source, before| padded.clone().cropped(CropAxis { source, before });
        let axis = |source, before| CropAxis { source, before };
        assert_eq!(crop(2..8, 0), axis(0..4, 1));
        assert_eq!(crop(4..6, 0), axis(1..3, 0));
        assert_eq!(crop(0..10, 5), axis(0..4, 8));
        assert!(crop(0..2, 0).source.is_empty());
        assert!(crop(8..9, 0).source.is_empty());
    }
}
