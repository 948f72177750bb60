use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use captioning::{Caption, LanguageCaptions};
use serde::Serialize;

/// The captions of a picture, and how long they took.
pub(crate) struct Captioned<'a> {
    pub(crate) picture: &'a Path,
    pub(crate) captions: Vec<LanguageCaptions>,
    pub(crate) encode: Duration,
    pub(crate) generate: Duration,
}

/// A line of JSON.
#[derive(Serialize)]
struct Record<'a> {
    image: String,
    captions: Vec<Entry<'a>>,
    encode_ms: f64,
    generate_ms: f64,
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

    /// Whether every language has a caption.
    pub(crate) fn is_complete(&self) -> bool {
        self.captions.iter().all(|one| one.captions.is_ok())
    }

    /// Prints on stderr which languages have no caption, and why.
    pub(crate) fn report_missing(&self) {
        for one in &self.captions {
            if let Err(error) = &one.captions {
                let picture = self.picture.display();
                eprintln!("caption: {picture}: {}", report::message(error));
            }
        }
    }

    /// Writes one line of JSON.
    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let record = Record {
            image: self.picture.display().to_string(),
            captions: self.captions.iter().flat_map(entries).collect(),
            encode_ms: milliseconds(self.encode),
            generate_ms: milliseconds(self.generate),
        };
        serde_json::to_writer(&mut *out, &record)?;
        writeln!(out)
    }

    /// Writes the picture's name and a line per caption, with or without its score.
    pub(crate) fn write_text(&self, out: &mut impl Write, scores: bool) -> io::Result<()> {
        writeln!(out, "{}", self.picture.display())?;
        for caption in self.all() {
            write!(out, "  {}  ", caption.language.code)?;
            if scores {
                write!(out, "{:8.4}  ", caption.score)?;
            }
            writeln!(out, "{}", caption.text)?;
        }
        Ok(())
    }
}

fn entries(one: &LanguageCaptions) -> Vec<Entry<'_>> {
    match &one.captions {
        Ok(captions) => captions.iter().map(entry).collect(),
        Err(error) => vec![Entry::Missing {
            lang: one.language.code,
            error: report::message(error),
        }],
    }
}

fn entry(caption: &Caption) -> Entry<'_> {
    Entry::Caption(CaptionRecord {
        lang: caption.language.code,
        text: &caption.text,
        ids: &caption.ids,
        score: caption.score,
        token_log_probs: &caption.token_log_probs,
        alternatives: alternatives(caption),
    })
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
