//! Changes of a drawing that teach a model to see the thing and not the style.

use std::f32::consts::PI;

use fastrand::Rng;
use image::{Rgba, RgbaImage};

use crate::fill::fill;
use crate::raster::Outline;

/// How likely and how strong changes are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Augmentation {
    /// How often shapes get a dark line around them.
    outlines: f32,
    /// How often the whole silhouette gets a dark line around it.
    silhouette: f32,
    /// How often what lines enclose is coloured in a line drawing.
    fills: f32,
    /// How often colours are changed.
    colours: f32,
    /// How often colours are reduced to a few.
    few_colours: f32,
    /// How often a drawing becomes grey.
    grey: f32,
    /// The size of the smallest drawings as a share of what it is without augmentation. Styles leave more or
    /// less room around a drawing.
    smallest: f32,
    /// The largest change of width against height.
    stretch: f32,
    /// The largest turn in degrees.
    turn: f32,
    /// How often a scene is blurred.
    blur: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            outlines: 0.4,
            silhouette: 0.15,
            fills: 0.7,
            colours: 0.6,
            few_colours: 0.15,
            grey: 0.06,
            smallest: 0.7,
            stretch: 0.15,
            turn: 12.0,
            blur: 0.2,
        }
    }
}

impl Augmentation {
    /// Which lines a drawing has.
    pub(crate) fn outline(&self, random: &mut Rng) -> Outline {
        if random.f32() >= self.outlines {
            Outline::None
        } else if random.bool() {
            Outline::Thin
        } else {
            Outline::Thick
        }
    }

    /// By how much smaller the smallest drawings are than without augmentation.
    pub(crate) fn smallest(&self) -> f32 {
        self.smallest
    }

    /// Width and height of a drawing that had sides of this length, none of them longer.
    pub(crate) fn stretch(&self, side: u32, random: &mut Rng) -> (u32, u32) {
        let shorter = 1.0 - random.f32() * self.stretch;
        let shorter = ((side as f32 * shorter) as u32).max(1);
        if random.bool() {
            (shorter, side)
        } else {
            (side, shorter)
        }
    }

    /// By how many degrees a drawing is turned, clockwise.
    pub(crate) fn turn(&self, random: &mut Rng) -> f32 {
        (random.f32() * 2.0 - 1.0) * self.turn
    }

    /// The standard deviation of the blur of a scene, in pixels, if it is blurred.
    pub(crate) fn blur(&self, random: &mut Rng) -> Option<f32> {
        (random.f32() < self.blur).then(|| 0.3 + random.f32() * 0.6)
    }

    /// Colours what lines enclose.
    pub(crate) fn fill(&self, drawing: &mut RgbaImage, random: &mut Rng) {
        if random.f32() < self.fills {
            fill(drawing, random);
        }
    }

    /// Changes the colours of a drawing, which are multiplied by their opacity: a little, or to any other hue.
    pub(crate) fn recolour(&self, drawing: &mut RgbaImage, to_any_hue: bool, random: &mut Rng) {
        if random.f32() < self.colours || to_any_hue {
            let largest_turn = if to_any_hue { PI } else { 0.5 };
            let change = ColourChange::draw(largest_turn, random);
            for pixel in drawing.pixels_mut() {
                change.apply(pixel);
            }
        }
        if random.f32() < self.few_colours {
            let step = [64.0, 85.0, 128.0][random.usize(..3)];
            for_colours(drawing, |value, opacity| {
                ((value / step).round() * step).min(opacity)
            });
        }
        if random.f32() < self.grey {
            for pixel in drawing.pixels_mut() {
                let Rgba([red, green, blue, _]) = *pixel;
                let grey = luminance([red, green, blue].map(f32::from)) as u8;
                pixel.0[..3].fill(grey);
            }
        }
        if random.f32() < self.silhouette {
            surround(drawing, 1 + random.u32(..2));
        }
    }
}

/// A turn of the hue, and other saturation and brightness: one linear map of red, green and blue.
struct ColourChange {
    matrix: [[f32; 3]; 3],
    /// Is added, times the opacity.
    offset: f32,
}

impl ColourChange {
    /// Draws a turn of the hue by at most so much, in radians, and the rest.
    fn draw(largest_turn: f32, random: &mut Rng) -> Self {
        let between = |random: &mut Rng, low: f32, high: f32| low + (high - low) * random.f32();
        let angle = between(random, -largest_turn, largest_turn);
        let saturation = between(random, 0.5, 1.4);
        let brightness = between(random, 0.75, 1.2);
        let offset = between(random, -12.0, 25.0);
        // A turn about the grey axis, after which the distance from grey is scaled.
        let (sine, cosine) = angle.sin_cos();
        let (third, root) = (1.0 / 3.0, (1.0f32 / 3.0).sqrt());
        let along = third * (1.0 - cosine);
        let [same, next, last] = [cosine + along, along - root * sine, along + root * sine];
        let scaled = |value: f32| brightness * (third + saturation * (value - third));
        let [same, next, last] = [same, next, last].map(scaled);
        let matrix = [[same, next, last], [last, same, next], [next, last, same]];
        Self { matrix, offset }
    }

    fn apply(&self, pixel: &mut Rgba<u8>) {
        let Rgba([red, green, blue, opacity]) = *pixel;
        let colour = [red, green, blue].map(f32::from);
        let opacity = f32::from(opacity);
        for (value, row) in pixel.0.iter_mut().zip(self.matrix) {
            let sum: f32 = row
                .iter()
                .zip(colour)
                .map(|(factor, value)| factor * value)
                .sum();
            *value = (sum + self.offset * opacity / 255.0).clamp(0.0, opacity) as u8;
        }
    }
}

/// Paints a dark line of this width around what is not transparent.
fn surround(drawing: &mut RgbaImage, width: u32) {
    let (columns, rows) = drawing.dimensions();
    let before = drawing.clone();
    for (x, y, pixel) in drawing.enumerate_pixels_mut() {
        let mut opacity = 0;
        for near_y in y.saturating_sub(width)..(y + width + 1).min(rows) {
            for near_x in x.saturating_sub(width)..(x + width + 1).min(columns) {
                opacity = opacity.max(before.get_pixel(near_x, near_y).0[3]);
            }
        }
        // The drawing over a dark copy of itself that is larger: the colour of the copy is nearly black, so it
        // adds only opacity.
        let own = pixel.0[3];
        let below = u16::from(opacity) * u16::from(255 - own) / 255;
        pixel.0[3] = own + below as u8;
    }
}

fn for_colours(drawing: &mut RgbaImage, change: impl Fn(f32, f32) -> f32) {
    for pixel in drawing.pixels_mut() {
        let opacity = f32::from(pixel.0[3]);
        for value in &mut pixel.0[..3] {
            *value = change(f32::from(*value), opacity) as u8;
        }
    }
}

fn luminance([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_never_exceed_their_opacity() {
        let mut random = Rng::with_seed(1);
        let augmentation = Augmentation {
            colours: 1.0,
            few_colours: 0.5,
            grey: 0.5,
            silhouette: 0.5,
            ..Augmentation::default()
        };
        for _ in 0..100 {
            let mut drawing = RgbaImage::from_fn(8, 8, |_, _| {
                let opacity = random.u8(..);
                let mut value = || random.u8(..=opacity);
                Rgba([value(), value(), value(), opacity])
            });
            augmentation.recolour(&mut drawing, false, &mut random);
            for pixel in drawing.pixels() {
                assert!(
                    pixel.0[..3].iter().all(|value| *value <= pixel.0[3]),
                    "{pixel:?}"
                );
            }
        }
    }

    #[test]
    fn a_silhouette_is_surrounded_by_a_dark_line() {
        let mut drawing = RgbaImage::new(5, 5);
        drawing.put_pixel(2, 2, Rgba([200, 100, 50, 255]));
        surround(&mut drawing, 1);
        assert_eq!(drawing.get_pixel(2, 2).0, [200, 100, 50, 255]);
        assert_eq!(drawing.get_pixel(1, 2).0, [0, 0, 0, 255]);
        assert_eq!(drawing.get_pixel(0, 2).0, [0; 4]);
    }

    #[test]
    fn a_stretched_drawing_stays_within_its_square() {
        let mut random = Rng::with_seed(2);
        for side in 1..100 {
            let (width, height) = Augmentation::default().stretch(side, &mut random);
            assert!(width.max(height) == side && width.min(height) >= 1);
        }
    }
}
