use std::ops::Range;

use super::ResizeTo;

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
    }
}

/// One axis of a centre crop.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CropAxis {
    /// The positions of the image that the crop keeps.
    pub(super) source: Range<u64>,
    /// The length of the padding before them, if the image is smaller than the crop.
    pub(super) before: u64,
}

/// The centre `crop` positions of an axis of `length`.
///
/// If the difference is odd, a larger image loses one position more at its end, and a smaller image gets one position
/// more of padding at its start, as Hugging Face's `center_crop` rounds.
pub(super) fn center_crop(length: u64, crop: u64) -> CropAxis {
    if length >= crop {
        let start = (length - crop) / 2;
        CropAxis {
            source: start..start + crop,
            before: 0,
        }
    } else {
        CropAxis {
            source: 0..length,
            before: (crop - length).div_ceil(2),
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
    fn an_odd_difference_is_cut_at_the_end_and_padded_at_the_start() {
        let cut = CropAxis {
            source: 1..5,
            before: 0,
        };
        assert_eq!(center_crop(7, 4), cut);
        let padded = CropAxis {
            source: 0..4,
            before: 2,
        };
        assert_eq!(center_crop(4, 7), padded);
    }
}
