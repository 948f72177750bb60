use std::io;

use captioning::{Language, UNDETERMINED};

use crate::error::PictureError;
use crate::inputs::Picture;
use crate::output::{Captioned, Record};

/// A picture with its captions, or why it has none.
pub(super) struct Row<'a> {
    pub(super) picture: &'a Picture,
    pub(super) captioned: &'a Result<Captioned<'a>, PictureError>,
}

/// The caption of a picture in a language.
pub(super) struct Cell<'a> {
    pub(super) text: Option<&'a str>,
    pub(super) score: Option<f32>,
}

impl Row<'_> {
    /// All that is known about it, as a line of JSON.
    pub(super) fn json(&self) -> io::Result<String> {
        let record = match self.captioned {
            Ok(captioned) => captioned.record(),
            Err(error) => Record::new(self.picture, Some(error)),
        };
        Ok(report::json_line(&record)?)
    }

    /// The best caption in each language, or its translation.
    pub(super) fn cells<'r>(&'r self, languages: &[Language]) -> Vec<Cell<'r>> {
        let captioned = self.captioned.as_ref().ok();
        let cell = |language: &Language| {
            let best = captioned.and_then(|captioned| captioned.best(*language));
            Cell {
                text: best.and_then(|(caption, translation)| match captioned {
                    Some(captioned) if captioned.is_translated() => translation,
                    _ => Some(caption.text.as_str()),
                }),
                score: best.map(|(caption, _)| caption.score),
            }
        };
        languages.iter().map(cell).collect()
    }

    /// What is missing, and why.
    pub(super) fn error(&self) -> Option<String> {
        match self.captioned {
            Ok(captioned) => captioned.missing(),
            Err(error) => Some(report::message_about(error, self.picture.path())),
        }
    }

    pub(super) fn image(&self) -> String {
        report::percent(self.picture.path()).unwrap_or_else(|| self.picture.lossy())
    }

    pub(super) fn shard(&self) -> Option<String> {
        let place = self.picture.place()?;
        Some(place.shard.to_string_lossy().into_owned())
    }

    pub(super) fn row(&self) -> Option<u64> {
        Some(self.picture.place()?.row)
    }
}

/// The name of a column about a language: `caption_en_XX`, or `caption` if the model has no languages.
pub(super) fn column(what: &str, language: Language) -> String {
    match language == UNDETERMINED {
        true => what.to_owned(),
        false => format!("{what}_{}", language.code),
    }
}
