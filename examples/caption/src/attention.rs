use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use captioning::{AttentionMap, Caption, Captioner, Memory, Overlay, RgbImage};
use serde::Serialize;

use crate::error::PictureError;
use crate::output::Captioned;

/// The largest number of a word's letters in the name of a file.
const LONGEST_NAME: usize = 30;

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
            picture: captioned.picture.to_owned(),
            source: Box::new(source),
        };
        let processor = self.captioner.image_processor();
        let overlay = Overlay::new(image, processor).map_err(in_picture)?;
        let mut record = Record {
            image: captioned.picture.display().to_string(),
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
        let json = serde_json::to_vec(&record).map_err(|error| failed(&path, error))?;
        fs::write(&path, json).map_err(|error| failed(&path, error))
    }

    /// The beginning of the names of a picture's files: its own name, and a number if another picture had the
    /// same name.
    fn name(&self, picture: &Path) -> String {
        let stem = picture.file_stem().unwrap_or_default().to_string_lossy();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut names = [stem.clone().into_owned()].into_iter().chain(numbered);
        let mut given = self.names.borrow_mut();
        let free = names.find(|name| given.insert(name.clone()));
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

/// A file name that sorts in the order of the words. It has only the letters and digits of a word, since file
/// systems do not allow all characters.
fn file_name(stem: &str, number: usize, caption: &Caption, position: usize, word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_alphanumeric());
    let word: String = letters.take(LONGEST_NAME).collect();
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
