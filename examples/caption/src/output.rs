use std::time::Duration;

use captioning::{Caption, Captioner, Language, LanguageCaptions, UNDETERMINED};
use report::{OutputError, Program, message, message_about};
use serde::Serialize;
use serde_json::Value;
use translation::Translator;

use crate::choice::OptionRecords;
use crate::error::PictureError;
use crate::inputs::Picture;
use crate::options::Chosen;

/// The captions of a picture, and how long they took.
pub(crate) struct Captioned<'a> {
    pub(crate) picture: &'a Picture,
    pub(crate) captions: Vec<LanguageCaptions>,
    pub(crate) captioner: &'a Captioner,
    /// The translation of each caption, or `None` if it failed; empty without a translator.
    pub(crate) translations: Vec<Option<String>>,
    pub(crate) encode: Duration,
    pub(crate) generate: Duration,
    /// Why files about the picture could not be written.
    pub(crate) error: Option<PictureError>,
}

/// A line of JSON.
#[derive(Serialize)]
pub(crate) struct Record<'a> {
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_percent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    captions: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encode_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generate_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<&'a OptionRecords>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ignored: &'a [String],
}

/// A caption, or why a language has none.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Caption(CaptionRecord<'a>),
    Missing { lang: &'a str, error: String },
}

#[derive(Serialize)]
struct CaptionRecord<'a> {
    lang: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    translation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Value>,
    ids: &'a [u32],
    score: f32,
    token_log_probs: &'a [f32],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Vec<AlternativeRecord<'a>>>,
}

#[derive(Serialize)]
struct AlternativeRecord<'a> {
    id: u32,
    text: &'a str,
    log_prob: f32,
}

impl Captioned<'_> {
    /// All captions, language by language.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Caption> {
        let captions = self
            .captions
            .iter()
            .filter_map(|one| one.captions.as_ref().ok());
        captions.flatten()
    }

    /// Translates all captions. Returns the first error; the others are translated all the same.
    pub(crate) fn translate(&mut self, translator: &Translator) -> Result<(), PictureError> {
        let texts: Vec<&str> = self.all().map(|caption| caption.text.as_str()).collect();
        let failed = |source| PictureError::Translation {
            picture: self.picture.name(),
            source,
        };
        let found = translator.translate(&texts);
        let found = found.map_err(|error| failed(error.into()))?;
        let mut first = Ok(());
        let mut translations = Vec::with_capacity(found.len());
        for found in found {
            translations.push(match found {
                Ok(translated) => Some(translated.best().text.clone()),
                Err(error) => {
                    first = first.and(Err(failed(error.into())));
                    None
                }
            });
        }
        self.translations = translations;
        first
    }

    /// Whether every language has a caption and nothing else is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.error.is_none() && self.captions.iter().all(|one| one.captions.is_ok())
    }

    /// Prints on stderr what is missing, and why.
    pub(crate) fn report_missing(&self, program: &Program) {
        for one in &self.captions {
            if let Err(error) = &one.captions {
                program.message(format!("{}: {}", self.picture.name(), message(error)));
            }
        }
        if let Some(error) = &self.error {
            program.message(message_about(error, self.picture.path()));
        }
    }

    /// Prints one line of JSON.
    pub(crate) fn print_json(&self, program: &Program, chosen: &Chosen) -> Result<(), OutputError> {
        program.json(&Record {
            encode_ms: Some(milliseconds(self.encode)),
            generate_ms: Some(milliseconds(self.generate)),
            options: Some(&chosen.records),
            ignored: &chosen.notes,
            ..self.record()
        })
    }

    /// What every run says about the picture.
    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            captions: self.entries(),
            ..Record::new(self.picture, self.error.as_ref())
        }
    }

    /// The best caption in a language, and its translation.
    pub(crate) fn best(&self, language: Language) -> Option<(&Caption, Option<&str>)> {
        let mut place = 0;
        for one in &self.captions {
            let captions = one.captions.as_deref().unwrap_or_default();
            if one.language == language {
                let translation = self.translations.get(place).and_then(Option::as_deref);
                return Some((captions.first()?, translation));
            }
            place += captions.len();
        }
        None
    }

    /// Whether captions were translated, each or some of them.
    pub(crate) fn is_translated(&self) -> bool {
        !self.translations.is_empty()
    }

    /// What is missing, and why.
    pub(crate) fn missing(&self) -> Option<String> {
        let errors = self
            .captions
            .iter()
            .filter_map(|one| one.captions.as_ref().err());
        let mut messages: Vec<String> = errors.map(|error| message(error)).collect();
        let of_picture = self.error.as_ref();
        messages.extend(of_picture.map(|error| message_about(error, self.picture.path())));
        (!messages.is_empty()).then(|| messages.join("; "))
    }

    /// Prints the picture's name and a line per caption, with or without its score.
    pub(crate) fn print_text(&self, program: &Program, scores: bool) -> Result<(), OutputError> {
        program.line(self.picture.name())?;
        let mut translations = self.translations.iter();
        for caption in self.all() {
            // A translation is in the language that its model writes.
            let code = match self.translations.is_empty() {
                true => label(caption.language),
                false => String::new(),
            };
            let text = match (translations.next(), self.fields(caption)) {
                (Some(Some(translation)), _) => translation.clone(),
                (Some(None), _) => continue,
                (None, Some(fields)) => fields.to_string(),
                (None, None) => caption.text.clone(),
            };
            match scores {
                true => program.line(format_args!("  {code}{:8.4}  {text}", caption.score))?,
                false => program.line(format_args!("  {code}{text}"))?,
            }
        }
        Ok(())
    }

    /// The fields of a document, if the caption has some that can be read.
    fn fields(&self, caption: &Caption) -> Option<Value> {
        self.captioner.fields(caption).ok().flatten()
    }

    fn entries(&self) -> Vec<Entry<'_>> {
        let mut translations = self.translations.iter().map(Option::as_deref);
        let entries = self.captions.iter().flat_map(|one| match &one.captions {
            Ok(captions) => {
                let entries = captions
                    .iter()
                    .map(|caption| self.entry(caption, translations.next().flatten()));
                entries.collect()
            }
            Err(error) => vec![Entry::Missing {
                lang: one.language.code,
                error: message(error),
            }],
        });
        entries.collect()
    }

    fn entry<'c>(&self, caption: &'c Caption, translation: Option<&'c str>) -> Entry<'c> {
        Entry::Caption(CaptionRecord {
            lang: caption.language.code,
            text: &caption.text,
            translation,
            fields: self.fields(caption),
            ids: &caption.ids,
            score: caption.score,
            token_log_probs: &caption.token_log_probs,
            alternatives: alternatives(caption),
        })
    }
}

/// Prints one line of JSON for a picture that failed.
pub(crate) fn print_failed(
    program: &Program,
    picture: &Picture,
    error: &PictureError,
) -> Result<(), OutputError> {
    program.json(&Record::new(picture, Some(error)))
}

impl Record<'_> {
    /// A picture without captions.
    pub(crate) fn new(picture: &Picture, error: Option<&PictureError>) -> Self {
        let place = picture.place();
        Self {
            image: picture.lossy(),
            image_percent: report::percent(picture.path()),
            shard: place.map(|place| place.shard.to_string_lossy().into_owned()),
            row: place.map(|place| place.row),
            captions: Vec::new(),
            error: error.map(|error| message_about(error, picture.path())),
            encode_ms: None,
            generate_ms: None,
            options: None,
            ignored: &[],
        }
    }
}

/// What stands in front of a caption in a language: its code, or nothing if there is only one that has none.
pub(crate) fn label(language: Language) -> String {
    match language == UNDETERMINED {
        true => String::new(),
        false => format!("{}  ", language.code),
    }
}

fn alternatives(caption: &Caption) -> Vec<Vec<AlternativeRecord<'_>>> {
    let positions = caption.alternatives.iter().map(|position| {
        let records = position.iter().map(|one| AlternativeRecord {
            id: one.id,
            text: &one.text,
            log_prob: one.log_prob,
        });
        records.collect()
    });
    positions.collect()
}

fn milliseconds(duration: Duration) -> f64 {
    // Repeated runs differ by more than a microsecond.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
