//! The JSON files of the npm packages.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::style::Style;

/// The largest file is Fluent's art, 58 MB.
const LIMIT: u64 = 256 << 20;

/// An Iconify set: drawings by name.
#[derive(Debug, Deserialize)]
pub(crate) struct IconSet {
    icons: HashMap<String, Icon>,
    #[serde(default)]
    aliases: HashMap<String, Alias>,
    #[serde(default = "default_side")]
    width: f32,
    #[serde(default = "default_side")]
    height: f32,
    /// Names by hexadecimal code points.
    #[serde(skip)]
    characters: HashMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Icon {
    body: String,
    left: Option<f32>,
    top: Option<f32>,
    width: Option<f32>,
    height: Option<f32>,
}

#[derive(Debug, Deserialize)]
struct Alias {
    parent: String,
}

/// A drawing as SVG elements.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawing {
    /// The elements within `<svg>`.
    pub(crate) body: String,
    /// Left, top, width, height.
    pub(crate) view_box: [f32; 4],
}

impl IconSet {
    /// Reads the set of a style.
    pub(crate) fn read(packages: &Path, style: Style) -> Result<Self, Error> {
        let folder = packages.join(style.name());
        let mut set: Self = read_json(&folder.join("icons.json"))?;
        // Icons that are no emoji have no code points, or some of their own.
        if !matches!(style, Style::Icons(_)) {
            set.characters = read_json(&folder.join("chars.json"))?;
        }
        Ok(set)
    }

    /// The name that this set has for code points such as `1f408` or `1f408-200d-2b1b`.
    pub(crate) fn name_of(&self, code_points: &str) -> Option<&str> {
        self.characters.get(code_points).map(String::as_str)
    }

    /// The drawing for code points or, if they have none, for the first name that the set knows.
    pub(crate) fn find(&self, code_points: &str, names: &[String]) -> Option<Drawing> {
        self.name_of(code_points)
            .into_iter()
            .chain(names.iter().map(String::as_str))
            .find_map(|name| self.drawing(name))
    }

    fn drawing(&self, name: &str) -> Option<Drawing> {
        let name = self
            .aliases
            .get(name)
            .map_or(name, |alias| alias.parent.as_str());
        let icon = self.icons.get(name)?;
        let view_box = [
            icon.left.unwrap_or(0.0),
            icon.top.unwrap_or(0.0),
            icon.width.unwrap_or(self.width),
            icon.height.unwrap_or(self.height),
        ];
        Some(Drawing {
            body: icon.body.clone(),
            view_box,
        })
    }
}

/// Iconify's default.
fn default_side() -> f32 {
    16.0
}

/// Reads a JSON file of a package.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = whole_files::read(path, LIMIT)?;
    serde_json::from_slice(&text).map_err(|source| Error::Json {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_found_by_code_points_or_name_or_alias() {
        let mut set: IconSet = serde_json::from_str(
            r#"{"icons": {"cat": {"body": "<a/>", "width": 72}, "dog": {"body": "<b/>"}},
                "aliases": {"hound": {"parent": "dog"}}, "width": 32, "height": 36}"#,
        )
        .unwrap();
        set.characters.insert("1f408".to_owned(), "cat".to_owned());

        let cat = set.find("1f408", &[]).unwrap();
        assert_eq!(cat.view_box, [0.0, 0.0, 72.0, 36.0]);
        assert_eq!(
            set.find("1f415", &["hound".to_owned()]).unwrap().body,
            "<b/>"
        );
        assert_eq!(set.find("1f415", &["fox".to_owned()]), None);
    }
}
