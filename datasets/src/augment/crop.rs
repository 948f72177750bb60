use preprocess::Error;
use preprocess::image::{Resample, RgbImage, resize};

use super::pixels::cropped;
use super::{Random, RandomResizedCrop};

/// Cuts out a part, and stretches it to a height and width.
pub(super) fn apply(
    options: &RandomResizedCrop,
    image: &RgbImage,
    target: Option<[u32; 2]>,
    random: &mut Random,
) -> Result<RgbImage, Error> {
    let (corner, size) = part(options, [image.height(), image.width()], random);
    let part = cropped(image, corner, size)?;
    match target {
        Some([height, width]) => resize(&part, width, height, Resample::Bicubic),
        None => Ok(part),
    }
}

/// The upper left corner and the size of a part. After ten that do not fit, it is the largest central part with an allowed
/// ratio, as in torchvision.
fn part(
    options: &RandomResizedCrop,
    [height, width]: [u32; 2],
    random: &mut Random,
) -> ([u32; 2], [u32; 2]) {
    let area = f64::from(height) * f64::from(width);
    let [low, high] = options.ratio;
    for _ in 0..10 {
        let part = area * random.between(options.scale[0], options.scale[1]);
        let ratio = random.between(low.ln(), high.ln()).exp();
        let size = [(part / ratio).sqrt().round(), (part * ratio).sqrt().round()];
        let fits = |size: f64, side: u32| size >= 1.0 && size <= f64::from(side);
        if fits(size[0], height) && fits(size[1], width) {
            let size = size.map(|side| side as u32);
            let corner = [height - size[0], width - size[1]]
                .map(|rest| random.below(rest as usize + 1) as u32);
            return (corner, size);
        }
    }
    let ratio = f64::from(width) / f64::from(height);
    let size = if ratio < low {
        [(f64::from(width) / low).round() as u32, width]
    } else if ratio > high {
        [height, (f64::from(height) * high).round() as u32]
    } else {
        [height, width]
    };
    let size = [size[0].clamp(1, height), size[1].clamp(1, width)];
    ([(height - size[0]) / 2, (width - size[1]) / 2], size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_an_allowed_area_and_ratio() {
        let options = RandomResizedCrop::default();
        for example in 0..500 {
            let mut random = Random::new(0, 0, example, 0);
            let ([top, left], [height, width]) = part(&options, [300, 400], &mut random);
            assert!(top + height <= 300 && left + width <= 400);
            let area = f64::from(height * width) / 120_000.0;
            assert!((0.075..1.001).contains(&area), "{area}");
            let ratio = f64::from(width) / f64::from(height);
            assert!((0.74..1.35).contains(&ratio), "{ratio}");
        }
    }
}
