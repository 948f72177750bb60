use preprocess::Error;
use preprocess::image::RgbImage;

use super::{GaussianBlur, Random};

/// Blurs an image, or leaves it as it is.
pub(super) fn apply(
    options: &GaussianBlur,
    image: RgbImage,
    random: &mut Random,
) -> Result<RgbImage, Error> {
    let chosen = random.unit() < options.probability;
    let sigma = random.between(options.sigma[0], options.sigma[1]);
    match chosen && sigma > 0.05 {
        true => blurred(&image, sigma),
        false => Ok(image),
    }
}

/// Two passes with a Gaussian that is cut off at three standard deviations; beyond the edges, the edge goes on.
fn blurred(image: &RgbImage, sigma: f64) -> Result<RgbImage, Error> {
    let radius = (sigma * 3.0).ceil() as i64;
    let weights =
        (-radius..=radius).map(|place| (-((place * place) as f64) / (2.0 * sigma * sigma)).exp());
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f32> = weights.iter().map(|weight| (weight / sum) as f32).collect();
    let (width, height) = (image.width() as usize, image.height() as usize);
    let pixels: Vec<[f32; 3]> = image
        .pixels()
        .as_chunks::<3>()
        .0
        .iter()
        .map(|pixel| pixel.map(f32::from))
        .collect();
    let across = pass(&pixels, [height, width], [width, 1], &weights);
    let down = pass(&across, [width, height], [1, width], &weights);
    let bytes = down
        .iter()
        .flat_map(|pixel| pixel.map(|value| value.round() as u8));
    RgbImage::new(image.width(), image.height(), bytes.collect())
}

/// Filters lines of pixels. `steps` is the distance of lines, and that of the pixels of a line.
fn pass(
    pixels: &[[f32; 3]],
    [lines, length]: [usize; 2],
    steps: [usize; 2],
    weights: &[f32],
) -> Vec<[f32; 3]> {
    let radius = weights.len() / 2;
    let mut filtered = vec![[0.0; 3]; pixels.len()];
    for line in 0..lines {
        for place in 0..length {
            let mut sum = [0.0; 3];
            for (tap, weight) in weights.iter().enumerate() {
                let from = (place + tap).saturating_sub(radius).min(length - 1);
                let pixel = pixels[line * steps[0] + from * steps[1]];
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum += value * weight;
                }
            }
            filtered[line * steps[0] + place * steps[1]] = sum;
        }
    }
    filtered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_colour_stays_and_a_point_spreads_evenly() {
        let plain = RgbImage::new(5, 4, vec![77; 60]).unwrap();
        assert_eq!(blurred(&plain, 1.5).unwrap(), plain);
        let mut bytes = vec![0; 75];
        bytes[36..39].fill(255);
        let point = blurred(&RgbImage::new(5, 5, bytes).unwrap(), 0.8).unwrap();
        let at = |x: usize, y: usize| point.pixels()[(y * 5 + x) * 3];
        assert!(at(2, 2) > at(1, 2) && at(1, 2) > at(0, 2) && at(0, 2) > 0);
        assert_eq!([at(1, 2), at(2, 1), at(2, 3)], [at(3, 2); 3]);
    }
}
