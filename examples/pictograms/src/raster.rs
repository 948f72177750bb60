//! Drawings as pixels.

use std::sync::OnceLock;

use image::RgbaImage;
use resvg::{tiny_skia, usvg};

use crate::packages::Drawing;

/// How the lines of a drawing are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outline {
    /// As the artist drew it.
    None,
    /// A thin dark line around each shape.
    Thin,
    /// A thick dark line around each shape.
    Thick,
}

impl Outline {
    const ALL: [Self; 3] = [Self::None, Self::Thin, Self::Thick];

    /// The width of the line as a share of the drawing's.
    fn width(self) -> f32 {
        match self {
            Self::None => 0.0,
            Self::Thin => 0.018,
            Self::Thick => 0.035,
        }
    }
}

/// The pixels of a drawing, made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Rasters([OnceLock<Option<RgbaImage>>; Outline::ALL.len()]);

impl Rasters {
    /// The drawing as a square of this side, with colours multiplied by their opacity; `None` if it can't be drawn.
    /// The side must be the same at every call.
    pub(crate) fn get(&self, drawing: &Drawing, outline: Outline, side: u32) -> Option<&RgbaImage> {
        let raster = self.0[outline as usize].get_or_init(|| render(drawing, outline, side));
        raster.as_ref()
    }
}

fn render(drawing: &Drawing, outline: Outline, side: u32) -> Option<RgbaImage> {
    let tree = usvg::Tree::from_str(&svg(drawing, outline), &usvg::Options::default()).ok()?;
    let mut pixels = tiny_skia::Pixmap::new(side, side)?;
    // Drawings that are not square are centred.
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = side as f32 / width.max(height);
    let margin = |length: f32| (side as f32 - length * scale) / 2.0;
    let transform =
        tiny_skia::Transform::from_row(scale, 0.0, 0.0, scale, margin(width), margin(height));
    resvg::render(&tree, transform, &mut pixels.as_mut());
    RgbaImage::from_raw(side, side, pixels.take())
}

fn svg(drawing: &Drawing, outline: Outline) -> String {
    let Drawing { body, view_box } = drawing;
    let [left, top, width, height] = view_box;
    // Shapes without a stroke of their own inherit this one.
    let body = match outline {
        Outline::None => body.clone(),
        _ => format!(
            "<g stroke=\"#111\" stroke-width=\"{}\" stroke-linejoin=\"round\">{body}</g>",
            outline.width() * width
        ),
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"{left} {top} {width} {height}\">{body}</svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> Drawing {
        Drawing {
            body: r##"<path fill="#f00" d="M2 2h4v4h-4z"/>"##.to_owned(),
            view_box: [0.0, 0.0, 8.0, 8.0],
        }
    }

    #[test]
    fn shapes_are_filled_and_outlined() {
        let rasters = Rasters::default();
        let plain = rasters.get(&square(), Outline::None, 80).unwrap();
        assert_eq!(plain.get_pixel(40, 40).0, [255, 0, 0, 255]);
        assert_eq!(plain.get_pixel(19, 40).0, [0; 4]);
        let outlined = rasters.get(&square(), Outline::Thick, 80).unwrap();
        assert_eq!(outlined.get_pixel(40, 40).0, [255, 0, 0, 255]);
        assert_eq!(outlined.get_pixel(19, 40).0, [17, 17, 17, 255]);
    }

    #[test]
    fn what_is_no_drawing_has_no_pixels() {
        let drawing = Drawing {
            body: "<path d=".to_owned(),
            ..square()
        };
        assert!(
            Rasters::default()
                .get(&drawing, Outline::None, 80)
                .is_none()
        );
    }
}
