use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use captioning::{AttentionMap, Caption, Captioner, Memory, Overlay, RgbImage};
use serde::Serialize;

use crate::error::PictureError;
use crate::inputs::Picture;
use crate::output::Captioned;

/// The largest number of a word's letters in the name of a file, of up to four bytes each.
const LONGEST_WORD: usize = 30;

/// The largest number of bytes of a picture's name in the names of its files. File systems allow 255 for the whole name,
/// of which a word takes up to 120, and numbers and language about 30.
const LONGEST_STEM: usize = 100;

/// Saves what `--attention` asks for.
pub(crate) struct AttentionOutput<'a> {
    pub(crate) captioner: &'a Captioner,
    pub(crate) folder: &'a Path,
    pub(crate) layers: Option<&'a [usize]>,
    /// The beginnings of the names of files that are already written.
    pub(crate) names: &'a RefCell<BTreeSet<String>>,
}

/// The JSON file of a picture.
#[derive(Serialize)]
struct Record<'a> {
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_percent: Option<String>,
    captions: Vec<CaptionRecord<'a>>,
}

#[derive(Serialize)]
struct CaptionRecord<'a> {
    lang: &'a str,
    text: &'a str,
    words: Vec<WordRecord>,
}

#[derive(Serialize)]
struct WordRecord {
    word: String,
    /// The name of the picture, in the folder of this file.
    picture: String,
    rows: usize,
    columns: usize,
    /// `[rows, columns]`, from the top left.
    patches: Vec<f32>,
    class_token: f32,
}

impl AttentionOutput<'_> {
    /// Saves a picture for each word of each caption, and a JSON file with all weights.
    pub(crate) fn save(
        &self,
        captioned: &Captioned<'_>,
        image: &RgbImage,
        memory: &Memory,
    ) -> Result<(), PictureError> {
        let stem = self.name(captioned.picture);
        let in_picture = |source| PictureError::Caption {
            picture: captioned.picture.name(),
            source: Box::new(source),
        };
        let processor = self.captioner.image_processor();
        let overlay = Overlay::new(image, processor).map_err(in_picture)?;
        let mut record = Record {
            image: captioned.picture.lossy(),
            image_percent: report::percent(captioned.picture.path()),
            captions: Vec::new(),
        };
        for (number, caption) in captioned.all().enumerate() {
            let maps = self
                .captioner
                .attention(memory, 0, caption, self.layers)
                .map_err(in_picture)?;
            let mut words = Vec::with_capacity(maps.len());
            for (position, map) in maps.into_iter().enumerate() {
                let name = file_name(&stem, number, caption, position, &map.word);
                let picture = overlay.of(&map).map_err(in_picture)?;
                self.save_png(&name, &picture)?;
                words.push(word(map, name));
            }
            record.captions.push(CaptionRecord {
                lang: caption.language.code,
                text: &caption.text,
                words,
            });
        }
        let path = self.folder.join(format!("{stem}.json"));
        let json = report::json_line(&record).map_err(|error| failed(&path, error))?;
        fs::write(&path, json).map_err(|error| failed(&path, error))
    }

    /// The beginning of the names of a picture's files: its own name, and a number if another picture had the
    /// same name.
    fn name(&self, picture: &Picture) -> String {
        let stem = file_stem(&picture.stem());
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut names = [stem.clone()].into_iter().chain(numbered);
        let mut given = self.names.borrow_mut();
        // Some file systems do not distinguish capital letters.
        let free = names.find(|name| given.insert(name.to_lowercase()));
        free.unwrap_or_default()
    }

    fn save_png(&self, name: &str, picture: &RgbImage) -> Result<(), PictureError> {
        let path = self.folder.join(name);
        image::save_buffer_with_format(
            &path,
            picture.pixels(),
            picture.width(),
            picture.height(),
            image::ExtendedColorType::Rgb8,
            image::ImageFormat::Png,
        )
        // As text, since its message repeats its source.
        .map_err(|error| failed(&path, error.to_string()))
    }
}

fn word(map: AttentionMap, picture: String) -> WordRecord {
    WordRecord {
        word: map.word,
        picture,
        rows: map.rows,
        columns: map.columns,
        patches: map.patches,
        class_token: map.class_token,
    }
}

/// The name of a picture as the beginning of file names. Control characters are in percent form. A long name is cut and
/// ends with a hash, which other names with the same beginning don't have.
fn file_stem(name: &str) -> String {
    let mut stem = String::with_capacity(name.len());
    for character in name.chars() {
        match report::is_escaped(character) {
            true => {
                let mut bytes = [0; 4];
                let bytes = character.encode_utf8(&mut bytes).bytes();
                stem.extend(bytes.map(|byte| format!("%{byte:02X}")));
            }
            false => stem.push(character),
        }
    }
    if stem.len() <= LONGEST_STEM {
        return stem;
    }
    let hash = format!("~{:016x}", fnv1a(name.as_bytes()));
    stem.truncate(stem.floor_char_boundary(LONGEST_STEM - hash.len()));
    stem + &hash
}

/// The 64-bit FNV-1a hash, which is the same on every machine.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A file name that sorts in the order of the words. It has only the letters and digits of a word, since file
/// systems do not allow all characters.
fn file_name(stem: &str, number: usize, caption: &Caption, position: usize, word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_alphanumeric());
    let word: String = letters.take(LONGEST_WORD).collect();
    let language = caption.language.code;
    format!("{stem}.{number:02}.{language}.{position:02}.{word}.png")
}

fn failed(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> PictureError {
    PictureError::Attention {
        path: PathBuf::from(path),
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_shortened_and_stay_different() {
        assert_eq!(file_stem("cat"), "cat");
        assert_eq!(file_stem("a\x1b\u{202e}b"), "a%1B%E2%80%AEb");
        assert_eq!(
            file_stem(&"x".repeat(LONGEST_STEM)),
            "x".repeat(LONGEST_STEM)
        );
        let long = "é".repeat(125);
        let (first, second) = (
            file_stem(&format!("{long}a")),
            file_stem(&format!("{long}b")),
        );
        assert_ne!(first, second);
        assert!(
            first.starts_with("éé") && first.len() <= LONGEST_STEM,
            "{first}"
        );
        assert_eq!(
            first,
            file_stem(&format!("{long}a")),
            "it is the same in every run"
        );
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
