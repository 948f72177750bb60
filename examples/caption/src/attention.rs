use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use captioning::{AttentionMap, Caption, Captioner, Memory, Overlay, RgbImage};
use serde::Serialize;

use crate::error::PictureError;
use crate::output::Captioned;

/// Letters of a word that are in a file's name.
const LONGEST_NAME: usize = 30;

/// Where and how `--attention` saves.
pub(crate) struct Looked<'a> {
    pub(crate) captioner: &'a Captioner,
    pub(crate) folder: &'a Path,
    pub(crate) layers: Option<&'a [usize]>,
    /// Names that files have begun with.
    pub(crate) names: &'a RefCell<BTreeSet<String>>,
}

/// The form of the file of numbers.
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
    /// Name of the picture, beside this file.
    picture: String,
    rows: usize,
    columns: usize,
    /// `[rows, columns]`, from the top left.
    patches: Vec<f32>,
    class_token: f32,
}

impl Looked<'_> {
    /// Saves a picture for each word of each caption, and a file with all numbers.
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
        for (number, caption) in captioned.captions.iter().enumerate() {
            let maps = self
                .captioner
                .attention(memory, 0, caption, self.layers)
                .map_err(in_picture)?;
            let mut words = Vec::with_capacity(maps.len());
            for (place, map) in maps.into_iter().enumerate() {
                let name = file_name(&stem, number, caption, place, &map.word);
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

    /// What the files of a picture begin with: its name, and a number if another had the same.
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
        .map_err(|error| failed(&path, error))
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

/// A name that sorts in the order of the words. Of a word only letters and digits are taken, since
/// no file system has all characters.
fn file_name(stem: &str, caption: usize, of: &Caption, place: usize, word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_alphanumeric());
    let word: String = letters.take(LONGEST_NAME).collect();
    let language = of.language.code;
    format!("{stem}.{caption:02}.{language}.{place:02}.{word}.png")
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
