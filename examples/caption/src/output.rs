use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use captioning::Caption;
use serde::Serialize;

/// The captions of one picture and how long they took.
pub(crate) struct Captioned<'a> {
    pub(crate) picture: &'a Path,
    pub(crate) captions: Vec<Caption>,
    pub(crate) encode: Duration,
    pub(crate) generate: Duration,
}

/// The form of a line of JSON.
#[derive(Serialize)]
struct Record<'a> {
    image: String,
    captions: Vec<CaptionRecord<'a>>,
    encode_ms: f64,
    generate_ms: f64,
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
    /// One JSON object and a line end.
    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let captions = self.captions.iter().map(|caption| CaptionRecord {
            lang: caption.language.code,
            text: &caption.text,
            ids: &caption.ids,
            score: caption.score,
            token_log_probs: &caption.token_log_probs,
            alternatives: alternatives(caption),
        });
        let record = Record {
            image: self.picture.display().to_string(),
            captions: captions.collect(),
            encode_ms: milliseconds(self.encode),
            generate_ms: milliseconds(self.generate),
        };
        serde_json::to_writer(&mut *out, &record)?;
        writeln!(out)
    }

    /// The picture's name and a line per caption, with scores where a language has several.
    pub(crate) fn write_text(&self, out: &mut impl Write, scores: bool) -> io::Result<()> {
        writeln!(out, "{}", self.picture.display())?;
        for caption in &self.captions {
            write!(out, "  {}  ", caption.language.code)?;
            if scores {
                write!(out, "{:8.4}  ", caption.score)?;
            }
            writeln!(out, "{}", caption.text)?;
        }
        Ok(())
    }
}

fn alternatives(caption: &Caption) -> Vec<Vec<AlternativeRecord<'_>>> {
    let places = caption.alternatives.iter().map(|place| {
        let records = place.iter().map(|one| AlternativeRecord {
            id: one.id,
            text: &one.text,
            log_prob: one.log_prob,
        });
        records.collect()
    });
    places.collect()
}

fn milliseconds(duration: Duration) -> f64 {
    // Microseconds are as fine as a single run can be repeated.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
