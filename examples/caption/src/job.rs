use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use captioning::{CaptionOptions, Captioner, Language, LanguageCaptions, Memory, RgbImage};
use indicatif::ProgressBar;
use preprocess::image::decode::{self, DecodeOptions};

use crate::arguments::Arguments;
use crate::attention;
use crate::error::PictureError;
use crate::output::Captioned;
use crate::stream::Stream;

/// The settings that all pictures share.
pub(crate) struct Job<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) captioner: &'a Captioner,
    pub(crate) languages: &'a [Language],
    pub(crate) options: &'a CaptionOptions,
    pub(crate) decoding: DecodeOptions,
    /// The names that `--attention` has given to files.
    pub(crate) names: RefCell<BTreeSet<String>>,
}

impl Job<'_> {
    /// Captions a picture and prints its captions. Returns whether it has one in every language.
    pub(crate) fn run(&self, picture: &Path, progress: &ProgressBar) -> Result<bool, PictureError> {
        let in_picture = |source| PictureError::Caption {
            picture: picture.to_owned(),
            source: Box::new(source),
        };
        let image = decode::open(picture, &self.decoding)?;
        let start = Instant::now();
        let memory = self.encode(&image).map_err(in_picture)?;
        let encoded = Instant::now();
        let captions = match self.arguments.stream {
            true => progress.suspend(|| self.stream(picture, memory.clone()))?,
            false => self.write(memory.clone()).map_err(in_picture)?,
        };
        let captioned = Captioned {
            picture,
            captions,
            encode: encoded - start,
            generate: encoded.elapsed(),
        };
        let arguments = self.arguments;
        if let Some(folder) = &arguments.attention {
            let layers = &arguments.attention_layers;
            let layers = (!layers.is_empty()).then_some(layers.as_slice());
            let output = attention::AttentionOutput {
                captioner: self.captioner,
                folder,
                layers,
                names: &self.names,
            };
            output.save(&captioned, &image, &memory)?;
        }
        progress.suspend(|| self.print(&captioned))?;
        Ok(captioned.is_complete())
    }

    fn encode(&self, image: &RgbImage) -> Result<Memory, captioning::Error> {
        let images = std::slice::from_ref(image);
        match self.arguments.as_published {
            true => self.captioner.as_published().encode(images),
            false => self.captioner.encode(images),
        }
    }

    /// Captions or scores the only image of a memory, language by language.
    fn write(&self, memory: Memory) -> Result<Vec<LanguageCaptions>, captioning::Error> {
        let (captioner, languages) = (self.captioner, self.languages);
        let config = &self.options.generation;
        let texts: Vec<&str> = self.arguments.score.iter().map(String::as_str).collect();
        if !texts.is_empty() {
            let mut scored = Vec::new();
            for language in languages {
                let captions = captioner.score(memory.clone(), *language, &texts, config)?;
                scored.push(LanguageCaptions {
                    language: *language,
                    captions: captions.into_iter().flatten().collect(),
                });
            }
            return Ok(scored);
        }
        let captions = match self.arguments.as_published {
            true => captioner
                .as_published()
                .caption_encoded(memory, languages, config),
            false => captioner.caption_with(memory, languages, self.options),
        };
        Ok(captions?.into_iter().flatten().collect())
    }

    /// Prints captions while they are written.
    fn stream(
        &self,
        picture: &Path,
        memory: Memory,
    ) -> Result<Vec<LanguageCaptions>, PictureError> {
        let mut stream = Stream::new(picture, self.languages, self.arguments.json);
        stream.begin()?;
        let captions = self
            .captioner
            .stream(memory, self.languages, self.options, |event| {
                stream.show(&event)
            })
            .map_err(|source| PictureError::Caption {
                picture: picture.to_owned(),
                source: Box::new(source),
            });
        stream.end(captions.is_ok())?;
        Ok(captions?.into_iter().flatten().collect())
    }

    fn print(&self, captioned: &Captioned<'_>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.arguments.json {
            captioned.write_json(&mut out)?;
        } else {
            if !self.arguments.stream {
                let scores = self.options.generation.num_return_sequences > 1
                    || !self.arguments.score.is_empty();
                captioned.write_text(&mut out, scores)?;
            }
            captioned.report_missing();
        }
        out.flush()
    }
}
