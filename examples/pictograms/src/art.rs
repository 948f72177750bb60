//! The things that scenes show: what they are called, and how each style draws them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::caption::Language;
use crate::error::Error;
use crate::font;
use crate::icons::ICONS;
use crate::names::Names;
use crate::packages::{Drawing, IconSet, read_json};
use crate::raster::Rasters;
use crate::style::Style;

/// A thing with its names and drawings.
#[derive(Debug)]
pub(crate) struct Pictogram {
    /// What it is called, in the order of [`Language::ALL`].
    pub(crate) names: [String; Language::ALL.len()],
    /// Its drawings.
    pub(crate) drawings: BTreeMap<Style, (Drawing, Rasters)>,
}

/// An entry of the list of emoji.
#[derive(Deserialize)]
struct Emoji {
    hexcode: String,
    group: Option<u32>,
}

/// Animals and nature, food and drink, travel and places, activities, objects.
const GROUPS: std::ops::RangeInclusive<u32> = 3..=7;

/// What draws the things of a style.
enum Source {
    Set(IconSet),
    Font(Vec<u8>),
}

/// Reads all things that the held-out style and at least five others of the reference's seven draw, and that have
/// a plain English name of one word or two and a name in every language.
pub(crate) fn load(packages: &Path, styles: &[Style]) -> Result<Vec<Pictogram>, Error> {
    let names = Names::read(packages)?;
    let mut sources = BTreeMap::new();
    // Which things there are depends on the reference's styles, whatever the scenes are drawn in.
    let reference = Style::SEEN.into_iter().chain([Style::HELD_OUT]);
    for style in reference.chain(styles.iter().copied()) {
        if sources.contains_key(&style) {
            continue;
        }
        let source = if Style::FONTS.contains(&style) {
            Source::Font(font::read(packages, style)?)
        } else {
            Source::Set(IconSet::read(packages, style)?)
        };
        sources.insert(style, source);
    }
    let list: Vec<Emoji> = read_json(&packages.join("emojibase-data/en/data.json"))?;
    let mut pictograms = Vec::new();
    for emoji in list {
        if !emoji.group.is_some_and(|group| GROUPS.contains(&group)) {
            continue;
        }
        let code_points = without_variation(&emoji.hexcode);
        let Some(names) = text(&code_points).and_then(|emoji| names.of(&emoji)) else {
            continue;
        };
        let [english, ..] = &names;
        if english.split_whitespace().count() > 2 || english.contains([':', '’', '\'', '-']) {
            continue;
        }
        let drawings = drawings(&sources, &code_points, english);
        let reference = Style::SEEN.into_iter().chain([Style::HELD_OUT]);
        let drawn = reference
            .filter(|style| drawings.contains_key(style))
            .count();
        if drawings.contains_key(&Style::HELD_OUT) && drawn >= 6 {
            pictograms.push(Pictogram { names, drawings });
        }
    }
    Ok(pictograms)
}

/// What each style draws for code points. Sets that don't know them may know a name that others have for them.
fn drawings(
    sources: &BTreeMap<Style, Source>,
    code_points: &str,
    english: &str,
) -> BTreeMap<Style, (Drawing, Rasters)> {
    let naming = [Style::Noto, Style::Twemoji, Style::FluentEmojiFlat];
    let names = naming.iter().filter_map(|style| match sources.get(style)? {
        Source::Set(set) => set.name_of(code_points),
        Source::Font(_) => None,
    });
    let names: Vec<String> = names.map(str::to_owned).collect();
    let found = sources.iter().filter_map(|(style, source)| {
        let set = match source {
            Source::Set(set) => set,
            Source::Font(font) => {
                let drawing = font::find(font, code_points)?;
                return Some((*style, (drawing, Rasters::default())));
            }
        };
        // A name alone is too weak where the sets have names of their own kind.
        let is_of_reference = Style::SEEN.contains(style) || *style == Style::HELD_OUT;
        let drawing = match style {
            Style::Icons(place) => set.find(code_points, &ICONS[*place].names(english))?,
            _ if is_of_reference => set.find(code_points, &names)?,
            _ => set.find(code_points, &[])?,
        };
        Some((*style, (drawing, Rasters::default())))
    });
    found.collect()
}

/// Lower-case code points without the variation selector that asks for a coloured picture.
fn without_variation(hexcode: &str) -> String {
    let hexcode = hexcode.to_lowercase();
    let points: Vec<&str> = hexcode
        .split('-')
        .filter(|&point| point != "fe0f")
        .collect();
    points.join("-")
}

/// The characters of code points.
fn text(code_points: &str) -> Option<String> {
    code_points
        .split('-')
        .map(|point| char::from_u32(u32::from_str_radix(point, 16).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_become_text_without_a_variation_selector() {
        let code_points = without_variation("2615-FE0F");
        assert_eq!(code_points, "2615");
        assert_eq!(text(&code_points).as_deref(), Some("☕"));
        assert_eq!(
            text("1f408-200d-2b1b").as_deref(),
            Some("\u{1f408}\u{200d}\u{2b1b}")
        );
        assert_eq!(text("110000"), None);
        assert_eq!(text(""), None);
    }
}
