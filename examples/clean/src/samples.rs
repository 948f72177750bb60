use std::collections::BTreeMap;

use datasets::ImageSource;
use datasets::cleaning::{CheckError, Reason, Verdict};
use datasets::{Example, Skipped};
use preprocess::image::decode::{self, DecodeOptions};
use report::{data_url, escaped, name, shortened};
use std::path::Path;

/// Examples of each reason, and of what is kept, for the page: the first ones of the data.
#[derive(Default)]
pub(crate) struct Samples(BTreeMap<String, Vec<Sample>>);

/// An example of a reason.
pub(crate) struct Sample {
    /// The image's name, escaped.
    pub(crate) name: String,
    /// Where the example stands, escaped.
    pub(crate) origin: String,
    /// What the rule found, escaped.
    pub(crate) detail: String,
    /// Captions, escaped.
    pub(crate) captions: Vec<String>,
    /// The address of a small JPEG, if the picture decodes.
    pub(crate) thumbnail: Option<String>,
}

/// The reason under which examples of what is kept are listed.
pub(crate) const KEPT: &str = "kept";

/// Examples of each reason.
const EACH: usize = 6;
/// The longest side of a small picture.
const SIDE: u32 = 128;
/// Captions that are shown of an example, and characters of each.
const CAPTIONS: usize = 8;
const CHARACTERS: usize = 300;

impl Samples {
    /// Looks at what became of an example.
    ///
    /// # Errors
    /// [`CheckError`] if the machine is too short of something to show a picture.
    pub(crate) fn add(&mut self, verdict: &Verdict) -> Result<(), CheckError> {
        let (example, dropped_captions) = match verdict {
            Verdict::Kept(kept) => (&kept.example, &kept.dropped_captions),
            Verdict::Dropped(dropped) => (&dropped.example, &dropped.dropped_captions),
        };
        let all = || {
            let dropped = dropped_captions.iter().map(|dropped| &dropped.caption);
            example
                .captions
                .iter()
                .chain(dropped)
                .map(|caption| (caption.language.code, caption.text.as_str()))
        };
        match verdict {
            Verdict::Kept(_) => self.offer(KEPT, "", example, all)?,
            Verdict::Dropped(dropped) => {
                for Reason { rule, detail } in &dropped.reasons {
                    self.offer(rule, detail, example, all)?;
                }
            }
        }
        for dropped in dropped_captions {
            let caption = (dropped.caption.language.code, dropped.caption.text.as_str());
            for Reason { rule, detail } in &dropped.reasons {
                self.offer(rule, detail, example, || [caption].into_iter())?;
            }
        }
        Ok(())
    }

    /// Looks at a row that could not be read.
    pub(crate) fn add_skipped(&mut self, skipped: &Skipped) {
        let samples = self.0.entry("unreadable_row".into()).or_default();
        if samples.len() < EACH {
            samples.push(Sample {
                name: short(skipped.image.as_deref().unwrap_or_default()),
                origin: short(&skipped.origin.to_string()),
                detail: short(&format!("{}: {}", skipped.reason, skipped.detail)),
                captions: Vec::new(),
                thumbnail: None,
            });
        }
    }

    /// The examples of a reason.
    pub(crate) fn of(&self, rule: &str) -> &[Sample] {
        self.0.get(rule).map_or(&[], Vec::as_slice)
    }

    /// Takes an example if there are few of this reason yet.
    fn offer<'a, C: Iterator<Item = (&'static str, &'a str)>>(
        &mut self,
        rule: &str,
        detail: &str,
        example: &Example,
        captions: impl FnOnce() -> C,
    ) -> Result<(), CheckError> {
        let samples = match self.0.get_mut(rule) {
            Some(samples) => samples,
            None => self.0.entry(rule.to_owned()).or_default(),
        };
        if samples.len() < EACH {
            samples.push(Sample {
                name: image_name(&example.image),
                origin: short(&example.origin.to_string()),
                detail: short(detail),
                captions: captions()
                    .take(CAPTIONS)
                    .map(|(code, text)| format!("{code}: {}", short(text)))
                    .collect(),
                thumbnail: thumbnail(&example.image)?,
            });
        }
        Ok(())
    }
}

/// The name of an image for people.
pub(crate) fn image_name(image: &ImageSource) -> String {
    match image {
        ImageSource::File(path) => name(path),
        ImageSource::Bytes { name: text, .. } => name(Path::new(text)),
    }
}

fn short(text: &str) -> String {
    escaped(&shortened(text, CHARACTERS)).into_owned()
}

/// A small picture as an address, if it decodes.
fn thumbnail(image: &ImageSource) -> Result<Option<String>, CheckError> {
    let options = DecodeOptions::default();
    let picture = match image {
        ImageSource::File(path) => decode::open(path, &options),
        ImageSource::Bytes { bytes, .. } => decode::decode(bytes, &options),
    };
    match picture {
        Ok(picture) => Ok(data_url(&picture, SIDE)),
        Err(error) => CheckError::new(image, error).map_or(Ok(None), Err),
    }
}
