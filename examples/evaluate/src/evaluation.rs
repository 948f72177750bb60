use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use captioning::{CaptionOptions, Captioner, Language, RgbImage, UNDETERMINED};
use datasets::{Entry, Example, ImageSource};
use preprocess::image::decode::{self, DecodeOptions};
use rayon::prelude::*;
use report::{Program, Progress, catch, message, name, percent};
use whole_files::limits;

use crate::captions::{CaptionLine, CaptionsFile};
use crate::error::{PictureError, StartError};
use crate::samples::Samples;
use crate::scores::Corpora;
use crate::skips::Skips;

/// How a data set is evaluated.
pub(crate) struct Evaluation<'a> {
    pub(crate) program: &'a Program,
    pub(crate) progress: &'a Progress,
    pub(crate) captioner: &'a Captioner,
    pub(crate) options: &'a CaptionOptions,
    /// The languages that were asked for; all if empty.
    pub(crate) languages: &'a [Language],
    pub(crate) decoding: DecodeOptions,
    pub(crate) batch_size: usize,
    /// Becomes true when the user wants to stop.
    pub(crate) stop: &'a AtomicBool,
}

/// What an evaluation has found so far.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) corpora: Corpora,
    pub(crate) samples: Samples,
    pub(crate) skips: Skips,
    pub(crate) captions: Option<CaptionsFile>,
    /// The number of pictures that were captioned.
    pub(crate) pictures: u64,
    /// Whether the user has stopped it.
    pub(crate) stopped: bool,
    /// The languages that the model does not write, each of which is named once.
    unknown: HashSet<&'static str>,
    /// The language of the captions, if the model has no codes of languages and writes one.
    only: Option<Language>,
}

impl Results {
    /// Nothing yet. Captions are written to a file if there is one.
    pub(crate) fn new(corpora: Corpora, captions: Option<CaptionsFile>) -> Self {
        Self {
            corpora,
            captions,
            ..Self::default()
        }
    }
}

/// A picture and what its captions should say.
struct Task {
    image: Arc<ImageSource>,
    /// The name as messages show it.
    name: String,
    languages: Vec<Language>,
    /// Of each language.
    references: Vec<Vec<String>>,
}

/// A caption and the model's score of it.
type Written = Result<(String, f32), PictureError>;

impl Evaluation<'_> {
    /// Captions and scores all pictures, batch by batch.
    ///
    /// # Errors
    /// [`StartError`] if the data can't be read further or the captions can't be written.
    pub(crate) fn run(
        &self,
        entries: impl Iterator<Item = Result<Entry, datasets::Error>>,
        results: &mut Results,
    ) -> Result<(), StartError> {
        let mut batch = Vec::with_capacity(self.batch_size);
        for entry in entries {
            match entry? {
                Entry::Skipped(row) => {
                    results.skips.rows += 1;
                    let origin = format!("{}, row {}", name(&row.origin.file), row.origin.row);
                    let reason = format!("{}: {}", row.reason, row.detail);
                    self.skip(results, &origin, &reason);
                }
                Entry::Example(example) => match self.task(example, results)? {
                    Some(task) => batch.push(task),
                    None => self.progress.advance(),
                },
            }
            if batch.len() == self.batch_size {
                self.evaluate(std::mem::take(&mut batch), results)?;
                if self.stop.load(Ordering::Relaxed) {
                    results.stopped = true;
                    return Ok(());
                }
            }
        }
        self.evaluate(batch, results)
    }

    /// What there is to do about an example, if anything.
    fn task(&self, example: Example, results: &mut Results) -> Result<Option<Task>, StartError> {
        let mut task = Task {
            name: name(path(&example.image)),
            image: Arc::new(example.image),
            languages: Vec::new(),
            references: Vec::new(),
        };
        for caption in example.captions {
            let language = caption.language;
            if !self.languages.is_empty() && !self.languages.contains(&language) {
                continue;
            }
            if self.has_no_codes() {
                let first = *results.only.get_or_insert(language);
                if first != language {
                    return Err(StartError::SeveralLanguages {
                        first: first.code,
                        second: language.code,
                    });
                }
            } else if !self.captioner.languages().contains(&language) {
                results.skips.captions += 1;
                if results.unknown.insert(language.code) {
                    let reason = message(&PictureError::Language(language.name));
                    self.skip(results, &format!("captions in {}", language.code), &reason);
                }
                continue;
            }
            let text = caption.text.trim().to_owned();
            match task.languages.iter().position(|one| *one == language) {
                Some(known) => task.references[known].push(text),
                None => {
                    task.languages.push(language);
                    task.references.push(vec![text]);
                }
            }
        }
        Ok((!task.languages.is_empty()).then_some(task))
    }

    /// Whether the model has no codes of languages, and writes what it was trained on.
    fn has_no_codes(&self) -> bool {
        self.captioner.languages() == [UNDETERMINED]
    }

    fn evaluate(&self, batch: Vec<Task>, results: &mut Results) -> Result<(), StartError> {
        let images: Vec<_> = batch.par_iter().map(|task| self.open(task)).collect();
        let mut readable = Vec::new();
        let mut written: Vec<Result<Vec<Written>, PictureError>> = Vec::new();
        for (index, image) in images.into_iter().enumerate() {
            match image {
                Ok(image) => readable.push((index, image)),
                Err(error) => {
                    written.push(Err(error));
                    continue;
                }
            }
            written.push(Ok(Vec::new()));
        }
        // Pictures with captions in the same languages are captioned together.
        while let Some((first, _)) = readable.first() {
            let languages = &batch[*first].languages;
            let same = |(index, _): &(usize, RgbImage)| batch[*index].languages == *languages;
            let (group, rest): (Vec<_>, Vec<_>) = readable.into_iter().partition(same);
            readable = rest;
            let (indices, images): (Vec<usize>, Vec<RgbImage>) = group.into_iter().unzip();
            let captions = self.caption_each(&images, languages);
            for (index, captions) in indices.into_iter().zip(captions) {
                written[index] = captions;
            }
        }
        for (task, captions) in batch.iter().zip(written) {
            match captions {
                Ok(captions) => self.score(task, captions, results)?,
                Err(error) => {
                    results.skips.pictures += 1;
                    self.skip(results, &task.name, &message(&error));
                }
            }
            self.progress.advance();
        }
        match &mut results.captions {
            Some(file) => file.flush(),
            None => Ok(()),
        }
    }

    fn open(&self, task: &Task) -> Result<RgbImage, PictureError> {
        let open = || -> Result<RgbImage, PictureError> {
            Ok(match task.image.as_ref() {
                ImageSource::File(path) => {
                    decode::decode(&whole_files::read(path, limits::PICTURE)?, &self.decoding)?
                }
                ImageSource::Bytes { bytes, .. } => decode::decode(bytes, &self.decoding)?,
            })
        };
        // A fault in the decoder of one picture must not end the others.
        catch(open).unwrap_or_else(|fault| Err(fault.into()))
    }

    /// Captions of each picture in each language. If the batch as a whole fails, each picture is tried alone.
    fn caption_each(
        &self,
        images: &[RgbImage],
        languages: &[Language],
    ) -> Vec<Result<Vec<Written>, PictureError>> {
        match self.caption(images, languages) {
            Ok(captions) => captions.into_iter().map(Ok).collect(),
            Err(error) if images.len() == 1 => vec![Err(error)],
            Err(_) => {
                let alone = images.chunks(1).map(|image| {
                    let captions = self.caption(image, languages)?;
                    captions.into_iter().next().ok_or(PictureError::NoCaption)
                });
                alone.collect()
            }
        }
    }

    fn caption(
        &self,
        images: &[RgbImage],
        languages: &[Language],
    ) -> Result<Vec<Vec<Written>>, PictureError> {
        let languages = match self.has_no_codes() {
            true => &[UNDETERMINED],
            false => languages,
        };
        let captions = catch(|| {
            let memory = self.captioner.encode(images)?;
            self.captioner.caption_with(memory, languages, self.options)
        })??;
        let best = |found: captioning::LanguageCaptions| {
            let best = found.captions?.into_iter().next();
            let best = best.ok_or(PictureError::NoCaption)?;
            Ok((best.text.trim().to_owned(), best.score))
        };
        let best_of = |found: Vec<_>| found.into_iter().map(best).collect();
        Ok(captions.into_iter().map(best_of).collect())
    }

    fn score(
        &self,
        task: &Task,
        captions: Vec<Written>,
        results: &mut Results,
    ) -> Result<(), StartError> {
        let each = task.languages.iter().zip(&task.references).zip(captions);
        for ((language, references), written) in each {
            let scored = match written {
                Ok((prediction, score)) => {
                    let corpus = results.corpora.of(*language)?;
                    corpus
                        .add(&prediction, references)
                        .map(|()| (prediction, score))
                        .map_err(PictureError::from)
                }
                Err(error) => Err(error),
            };
            let (prediction, score) = match scored {
                Ok(scored) => scored,
                Err(error) => {
                    results.skips.captions += 1;
                    let what = format!("{} in {}", task.name, language.code);
                    self.skip(results, &what, &message(&error));
                    continue;
                }
            };
            results
                .samples
                .add(*language, &task.image, &prediction, references);
            if let Some(file) = &mut results.captions {
                file.add(&CaptionLine {
                    image: path(&task.image).to_string_lossy(),
                    image_percent: percent(path(&task.image)),
                    lang: language.code,
                    prediction: &prediction,
                    references,
                    score,
                })?;
            }
        }
        results.pictures += 1;
        Ok(())
    }

    fn skip(&self, results: &mut Results, what: &str, why: &str) {
        results.skips.name(self.program, self.progress, what, why);
    }
}

/// The file of a picture, or its name within a shard.
fn path(image: &ImageSource) -> &Path {
    match image {
        ImageSource::File(path) => path,
        ImageSource::Bytes { name, .. } => Path::new(name),
    }
}
