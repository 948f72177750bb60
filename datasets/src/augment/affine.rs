use preprocess::Error;
use preprocess::image::RgbImage;

use super::{Random, RandomAffine};

/// Turns, moves, scales, shears and stretches about the centre.
pub(super) fn apply(
    options: &RandomAffine,
    image: &RgbImage,
    random: &mut Random,
) -> Result<RgbImage, Error> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let angle = random
        .between(-options.degrees, options.degrees)
        .to_radians();
    let shear = random
        .between(-options.shear, options.shear)
        .to_radians()
        .tan();
    let moved = [
        random.between(-options.translate[0], options.translate[0]) * width as f64,
        random.between(-options.translate[1], options.translate[1]) * height as f64,
    ];
    let scale = random
        .between(options.scale[0].ln(), options.scale[1].ln())
        .exp();
    let stretch = random
        .between(-options.stretch.ln(), options.stretch.ln())
        .exp()
        .sqrt();
    let inverse = inverse(angle, shear, [scale * stretch, scale / stretch]);
    let centre = [(width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0];
    let mut bytes = Vec::with_capacity(width * height * 3);
    for row in 0..height {
        for column in 0..width {
            let x = column as f64 - centre[0] - moved[0];
            let y = row as f64 - centre[1] - moved[1];
            let [[a, b], [c, d]] = inverse;
            let from = [a * x + b * y + centre[0], c * x + d * y + centre[1]];
            bytes.extend(sample(image, from, options.fill));
        }
    }
    RgbImage::new(image.width(), image.height(), bytes)
}

/// The inverse of rotation times shear times scale.
fn inverse(angle: f64, shear: f64, [across, down]: [f64; 2]) -> [[f64; 2]; 2] {
    let (sin, cos) = angle.sin_cos();
    let [a, b] = [cos * across, (cos * shear - sin) * down];
    let [c, d] = [sin * across, (sin * shear + cos) * down];
    let determinant = a * d - b * c;
    [
        [d / determinant, -b / determinant],
        [-c / determinant, a / determinant],
    ]
}

/// The colour at a place between four pixels.
fn sample(image: &RgbImage, [x, y]: [f64; 2], fill: Option<[u8; 3]>) -> [u8; 3] {
    let (width, height) = (i64::from(image.width()), i64::from(image.height()));
    let (left, top) = (x.floor(), y.floor());
    let (right_part, lower_part) = ((x - left) as f32, (y - top) as f32);
    let (left, top) = (left as i64, top as i64);
    let pixel = |x: i64, y: i64| -> [u8; 3] {
        let inside = (0..width).contains(&x) && (0..height).contains(&y);
        if let (false, Some(fill)) = (inside, fill) {
            return fill;
        }
        let place = y.clamp(0, height - 1) * width + x.clamp(0, width - 1);
        image.pixels().as_chunks::<3>().0[place as usize]
    };
    let corners = [
        (pixel(left, top), (1.0 - right_part) * (1.0 - lower_part)),
        (
            pixel(left.saturating_add(1), top),
            right_part * (1.0 - lower_part),
        ),
        (
            pixel(left, top.saturating_add(1)),
            (1.0 - right_part) * lower_part,
        ),
        (
            pixel(left.saturating_add(1), top.saturating_add(1)),
            right_part * lower_part,
        ),
    ];
    std::array::from_fn(|channel| {
        let sum: f32 = corners
            .iter()
            .map(|(color, weight)| f32::from(color[channel]) * weight)
            .sum();
        sum.round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_changes_nothing_gives_the_same_image() {
        let image = RgbImage::new(3, 2, (0..18).map(|value| value * 10).collect()).unwrap();
        let same = apply(
            &RandomAffine::default(),
            &image,
            &mut Random::new(0, 0, 0, 0),
        )
        .unwrap();
        assert_eq!(image, same);
    }

    #[test]
    fn what_comes_from_outside_has_the_colour_of_the_edge_or_that_asked_for() {
        let image = RgbImage::new(2, 1, vec![9, 9, 9, 7, 7, 7]).unwrap();
        assert_eq!(sample(&image, [-5.0, 3.0], None), [9; 3]);
        assert_eq!(sample(&image, [5.0, 0.0], Some([1, 2, 3])), [1, 2, 3]);
        assert_eq!(sample(&image, [0.5, 0.0], None), [8; 3]);
    }
}
