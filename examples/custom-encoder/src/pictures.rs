//! Pictures to learn from, drawn here: a shape in a colour on a background, and what a caption says of it.

use burn::tensor::{Device, Tensor, TensorData};

/// Height and width of a picture, in pixels.
pub(crate) const SIDE: usize = 24;

/// The vocabulary: a token id is an index.
#[rustfmt::skip]
pub(crate) const WORDS: [&str; 14] = [
    "<s>", "<pad>", "</s>",
    "a", "red", "green", "blue", "yellow", "square", "ring", "cross", "on", "black", "white",
];
pub(crate) const PADDING: u32 = 1;
pub(crate) const END: u32 = 2;

const COLOURS: [(&str, [f32; 3]); 4] = [
    ("red", [0.9, 0.1, 0.1]),
    ("green", [0.1, 0.7, 0.2]),
    ("blue", [0.1, 0.2, 0.9]),
    ("yellow", [0.9, 0.8, 0.1]),
];
const SHAPES: [&str; 3] = ["square", "ring", "cross"];
const BACKGROUNDS: [(&str, [f32; 3]); 2] = [("black", [0.0; 3]), ("white", [1.0; 3])];

/// A picture of an endless series.
pub(crate) struct Picture {
    colour: (&'static str, [f32; 3]),
    shape: &'static str,
    background: (&'static str, [f32; 3]),
    /// Half the height of the shape.
    radius: i32,
    /// Column and row of its centre.
    centre: (i32, i32),
}

impl Picture {
    /// The picture of this number. 24 in a row have all captions that there are.
    pub(crate) fn numbered(number: usize) -> Self {
        let colours = number / SHAPES.len();
        let backgrounds = colours / COLOURS.len();
        let radius = 5 + number * 7 % 4;
        let place = |factor: usize| (radius + number * factor % (SIDE - 2 * radius)) as i32;
        Self {
            colour: COLOURS[colours % COLOURS.len()],
            shape: SHAPES[number % SHAPES.len()],
            background: BACKGROUNDS[backgrounds % BACKGROUNDS.len()],
            radius: radius as i32,
            centre: (place(37), place(59)),
        }
    }

    /// The right caption: `a red ring on black`.
    pub(crate) fn caption(&self) -> String {
        format!(
            "a {} {} on {}",
            self.colour.0, self.shape, self.background.0
        )
    }

    /// The caption's token ids, with the one that ends it.
    pub(crate) fn tokens(&self) -> Vec<u32> {
        let caption = self.caption();
        let ids = caption.split(' ').filter_map(|word| {
            let id = WORDS.iter().position(|known| *known == word)?;
            u32::try_from(id).ok()
        });
        ids.chain([END]).collect()
    }

    /// Whether the shape covers a point, given from its centre.
    fn covers(&self, x: i32, y: i32) -> bool {
        let (far, near) = (x.abs().max(y.abs()), x.abs().min(y.abs()));
        let square = x * x + y * y;
        match self.shape {
            "square" => far < self.radius,
            "ring" => (self.radius.pow(2) / 3..self.radius.pow(2)).contains(&square),
            _ => far < self.radius && near < self.radius / 3,
        }
    }

    /// Pixel values from -1 to 1, `[3, SIDE, SIDE]`.
    fn pixels(&self) -> impl Iterator<Item = f32> {
        let side = 0..SIDE as i32;
        (0..3).flat_map(move |channel| {
            let columns = side.clone();
            let points = side
                .clone()
                .flat_map(move |y| columns.clone().map(move |x| (x, y)));
            points.map(move |(x, y)| {
                let (column, row) = self.centre;
                let colour = match self.covers(x - column, y - row) {
                    true => self.colour.1,
                    false => self.background.1,
                };
                2.0 * colour[channel] - 1.0
            })
        })
    }
}

/// The pixel values of pictures, `[pictures, 3, SIDE, SIDE]`.
pub(crate) fn pixel_values(pictures: &[Picture], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = pictures.iter().flat_map(Picture::pixels).collect();
    Tensor::from_data(
        TensorData::new(values, [pictures.len(), 3, SIDE, SIDE]),
        device,
    )
}

/// The words of token ids, without special ones.
pub(crate) fn text(tokens: &[u32]) -> String {
    let words = tokens.iter().filter(|id| **id > END);
    let words = words.filter_map(|id| WORDS.get(*id as usize).copied());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pictures_show_everything_that_there_is_a_word_for() {
        let pictures: Vec<Picture> = (0..24).map(Picture::numbered).collect();
        let mut captions: Vec<String> = pictures.iter().map(Picture::caption).collect();
        for (picture, caption) in pictures.iter().zip(&captions) {
            assert_eq!(&text(&picture.tokens()), caption);
            assert_eq!(picture.tokens().len(), 6);
        }
        captions.sort();
        captions.dedup();
        assert_eq!(captions.len(), 24);
    }

    #[test]
    fn a_shape_has_its_colour_and_stands_inside_its_background() {
        for picture in (0..100).map(Picture::numbered) {
            let pixels: Vec<f32> = picture.pixels().collect();
            let at = |x: usize, y: usize| {
                [0, 1, 2].map(|channel| pixels[(channel * SIDE + y) * SIDE + x])
            };
            let (x, y) = picture.centre;
            let values = |colour: [f32; 3]| colour.map(|value| 2.0 * value - 1.0);
            let (x, y, radius) = (x as usize, y as usize, picture.radius as usize);
            assert_eq!(at(x + radius - 1, y), values(picture.colour.1));
            for corner in [at(0, 0), at(SIDE - 1, SIDE - 1)] {
                assert_eq!(corner, values(picture.background.1));
            }
        }
    }
}
