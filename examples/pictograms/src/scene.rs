//! Pictures of one thing or two on a coloured background.

use clap::ValueEnum;
use fastrand::Rng;
use image::imageops::{self, FilterType};
use image::{RgbImage, RgbaImage};
use resvg::tiny_skia::{FilterQuality, Pixmap, PixmapPaint, PixmapRef, Transform};

use crate::art::Pictogram;
use crate::augment::Augmentation;
use crate::caption::{COLOURS, Colour};
use crate::raster::Outline;
use crate::style::Style;

/// How many things a scene shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Things {
    /// One.
    One,
    /// Two, side by side.
    Two,
    /// Two in a third of the scenes, one in the others.
    OneOrTwo,
}

/// Draws scenes at random.
#[derive(Debug)]
pub(crate) struct Sampler<'a> {
    pub(crate) pictograms: &'a [Pictogram],
    pub(crate) styles: &'a [Style],
    pub(crate) things: Things,
    /// Width and height in pixels.
    pub(crate) size: u32,
    pub(crate) augmentation: Option<Augmentation>,
    pub(crate) seed: u64,
}

/// A picture and what it shows.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) picture: RgbImage,
    /// From left to right.
    pub(crate) things: Vec<&'a Pictogram>,
    pub(crate) background: Colour,
    pub(crate) style: Style,
}

/// How often two things are drawn if there may be one or two.
const TWO: f32 = 0.35;

/// The largest number of levels by which a background is lighter or darker than its colour.
const SHADE: f32 = 12.0;

impl<'a> Sampler<'a> {
    /// The scene of this number. It depends on the seed and the number only.
    pub(crate) fn scene(&self, number: u64) -> Scene<'a> {
        let mut random = Rng::with_seed(self.seed);
        let mut random =
            Rng::with_seed(random.u64(..) ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        loop {
            if let Some(scene) = self.draw(&mut random) {
                return scene;
            }
        }
    }

    /// `None` if the drawing that chance chose does not exist.
    fn draw(&self, random: &mut Rng) -> Option<Scene<'a>> {
        let style = self.styles[random.usize(..self.styles.len())];
        let count = match self.things {
            Things::One => 1,
            Things::Two => 2,
            Things::OneOrTwo => 1 + usize::from(random.f32() < TWO),
        };
        let background = COLOURS[random.usize(..COLOURS.len())];
        let shade = (random.f32() * 2.0 - 1.0) * SHADE;
        let mut canvas = Pixmap::new(self.size, self.size)?;
        let level = |value: u8| (f32::from(value) + shade).clamp(0.0, 255.0) as u8;
        let [red, green, blue] = background.rgb.map(level);
        for pixel in canvas.data_mut().chunks_exact_mut(4) {
            pixel.copy_from_slice(&[red, green, blue, 255]);
        }
        let mut things = Vec::with_capacity(count);
        for place in 0..count {
            let thing = &self.pictograms[random.usize(..self.pictograms.len())];
            self.paste(&mut canvas, thing, style, background, place, count, random)?;
            things.push(thing);
        }
        let mut picture = without_opacity(&canvas)?;
        let blur = self
            .augmentation
            .and_then(|augmentation| augmentation.blur(random));
        if let Some(deviation) = blur {
            picture = imageops::blur(&picture, deviation);
        }
        Some(Scene {
            picture,
            things,
            background,
            style,
        })
    }

    /// Draws a thing at a place of so many from left to right.
    #[expect(clippy::too_many_arguments)]
    fn paste(
        &self,
        canvas: &mut Pixmap,
        thing: &Pictogram,
        style: Style,
        background: Colour,
        place: usize,
        count: usize,
        random: &mut Rng,
    ) -> Option<()> {
        let (drawing, rasters) = thing.drawings.get(&style)?;
        let outline = match &self.augmentation {
            Some(augmentation) if !style.has_one_colour() => augmentation.outline(random),
            _ => Outline::None,
        };
        let mut pixels = rasters.get(drawing, outline, self.size)?.clone();
        if style.has_one_colour() {
            paint(&mut pixels, ink(background, random));
        }
        if let Some(augmentation) = &self.augmentation {
            if style.is_line_art() {
                augmentation.fill(&mut pixels, random);
            }
            augmentation.recolour(&mut pixels, style.has_arbitrary_colours(), random);
        }

        // The part of the scene that the thing may take.
        let room = self.size / count as u32;
        let (mut smallest, largest) = if count == 1 { (0.6, 0.98) } else { (0.8, 1.0) };
        if let Some(augmentation) = &self.augmentation {
            smallest *= augmentation.smallest();
        }
        let [smallest, largest] = [smallest, largest].map(|share| (room as f32 * share) as u32);
        let side = random.u32(smallest..=largest);
        let (width, height) = match &self.augmentation {
            Some(augmentation) => augmentation.stretch(side, random),
            None => (side, side),
        };
        let mut pixels = imageops::resize(&pixels, width, height, FilterType::CatmullRom);
        limit_to_opacity(&mut pixels);
        if random.bool() {
            imageops::flip_horizontal_in_place(&mut pixels);
        }
        let left = room * place as u32 + random.u32(..=room - width);
        let top = random.u32(..=self.size - height);
        let turn = match &self.augmentation {
            Some(augmentation) => {
                let turn = augmentation.turn(random);
                Transform::from_rotate_at(turn, width as f32 / 2.0, height as f32 / 2.0)
            }
            None => Transform::identity(),
        };
        let paint = PixmapPaint {
            quality: FilterQuality::Bilinear,
            ..PixmapPaint::default()
        };
        canvas.draw_pixmap(
            0,
            0,
            PixmapRef::from_bytes(&pixels, width, height)?,
            &paint,
            turn.post_translate(left as f32, top as f32),
            None,
        );
        Some(())
    }
}

/// A colour that stands out from a background.
fn ink(background: Colour, random: &mut Rng) -> [u8; 3] {
    let [red, green, blue] = background.rgb.map(u32::from);
    let is_light = 299 * red + 587 * green + 114 * blue > 110_000;
    let mut level = || {
        let level = random.u8(..70);
        if is_light { level } else { 255 - level }
    };
    [level(), level(), level()]
}

/// Gives a drawing of one colour this colour.
fn paint(pixels: &mut RgbaImage, colour: [u8; 3]) {
    for pixel in pixels.pixels_mut() {
        let opacity = u16::from(pixel.0[3]);
        for (value, level) in pixel.0.iter_mut().zip(colour) {
            *value = (u16::from(level) * opacity / 255) as u8;
        }
    }
}

/// The filter overshoots at edges, and a colour above its opacity does not exist.
fn limit_to_opacity(pixels: &mut RgbaImage) {
    for pixel in pixels.pixels_mut() {
        let opacity = pixel.0[3];
        for value in &mut pixel.0[..3] {
            *value = (*value).min(opacity);
        }
    }
}

fn without_opacity(canvas: &Pixmap) -> Option<RgbImage> {
    let pixels = canvas.data().chunks_exact(4);
    let rgb = pixels
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    RgbImage::from_raw(canvas.width(), canvas.height(), rgb)
}
