//! The drawings of a font.

use std::path::Path;

use ttf_parser::{Face, OutlineBuilder};

use crate::error::Error;
use crate::packages::Drawing;
use crate::style::Style;

const LIMIT: u64 = 16 << 20;

/// The file of a style of [`Style::FONTS`] in the npm packages.
fn path(style: Style) -> &'static str {
    match style {
        Style::NotoEmojiLight => "noto-emoji/300Light/NotoEmoji_300Light.ttf",
        _ => "noto-emoji/700Bold/NotoEmoji_700Bold.ttf",
    }
}

/// Reads the font of a style.
pub(crate) fn read(packages: &Path, style: Style) -> Result<Vec<u8>, Error> {
    Ok(whole_files::read(packages.join(path(style)), LIMIT)?)
}

/// What a font draws for code points such as `1f408`; for sequences of them, nothing.
pub(crate) fn find(font: &[u8], code_points: &str) -> Option<Drawing> {
    let face = Face::parse(font, 0).ok()?;
    let character = char::from_u32(u32::from_str_radix(code_points, 16).ok()?)?;
    let mut outline = SvgPath::default();
    let glyph = face.glyph_index(character)?;
    let bounds = face.outline_glyph(glyph, &mut outline)?;
    // The vertical axis of a font points up, that of an SVG down.
    let (left, top) = (f32::from(bounds.x_min), -f32::from(bounds.y_max));
    let width = f32::from(bounds.width());
    let height = f32::from(bounds.height());
    let margin = 0.04 * width.max(height);
    Some(Drawing {
        body: format!("<path d=\"{}\"/>", outline.0),
        view_box: [
            left - margin,
            top - margin,
            width + 2.0 * margin,
            height + 2.0 * margin,
        ],
    })
}

/// An outline as the `d` of an SVG path.
#[derive(Default)]
struct SvgPath(String);

impl OutlineBuilder for SvgPath {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0 += &format!("M{x} {} ", -y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0 += &format!("L{x} {} ", -y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0 += &format!("Q{x1} {} {x} {} ", -y1, -y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0 += &format!("C{x1} {} {x2} {} {x} {} ", -y1, -y2, -y);
    }

    fn close(&mut self) {
        self.0.push_str("Z ");
    }
}
