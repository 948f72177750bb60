use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use captioning::{Captioner, Language, LanguageCaptions, Memory, RgbImage};
use report::{OutputError, Program, Progress, message_about};
use translation::Translator;

use crate::arguments::Arguments;
use crate::attention::AttentionOutput;
use crate::error::PictureError;
use crate::inputs::{Picture, PictureDecoder};
use crate::options::Chosen;
use crate::output::{Captioned, print_failed};
use crate::stream::Stream;

/// The settings that all pictures share.
pub(crate) struct Job<'a> {
    pub(crate) program: &'a Program,
    pub(crate) arguments: &'a Arguments,
    pub(crate) captioner: &'a Captioner,
    /// The folder of the model; `None` for the one within this program.
    pub(crate) folder: Option<&'a Path>,
    pub(crate) translator: Option<&'a Translator>,
    pub(crate) languages: &'a [Language],
    pub(crate) chosen: &'a Chosen,
    pub(crate) decoder: PictureDecoder,
    /// The names that `--attention` has given to files.
    pub(crate) names: RefCell<BTreeSet<String>>,
}

impl Job<'_> {
    /// Whether pictures can be captioned together: each is only captioned, in no way of its own.
    pub(crate) fn can_share_steps(&self) -> bool {
        let arguments = self.arguments;
        !arguments.stream
            && !arguments.as_published
            && arguments.attention.is_none()
            && arguments.score.is_empty()
    }

    /// Captions a picture and prints its captions, or why it has none. Returns whether everything that was asked for
    /// is there.
    ///
    /// # Errors
    /// [`OutputError`], after which no other picture's captions could be printed either.
    pub(crate) fn run(&self, picture: &Picture, progress: &Progress) -> Result<bool, OutputError> {
        // A fault in the decoder of one picture must not end the others.
        let captioned = report::catch(|| self.caption(picture, progress));
        match captioned.unwrap_or_else(|fault| Err(PictureError::fault(picture, fault))) {
            Err(PictureError::Output(error)) => Err(error),
            captioned => self.finish(picture, captioned, progress),
        }
    }

    /// Prints the captions of a picture, or why it has none. Returns whether everything that was asked for is there.
    pub(crate) fn finish(
        &self,
        picture: &Picture,
        captioned: Result<Captioned<'_>, PictureError>,
        progress: &Progress,
    ) -> Result<bool, OutputError> {
        progress.suspend(|| match captioned {
            Ok(captioned) => {
                self.print(&captioned)?;
                Ok(captioned.is_complete())
            }
            Err(error) => {
                self.print_failed(picture, &error)?;
                Ok(false)
            }
        })
    }

    fn caption<'p>(
        &'p self,
        picture: &'p Picture,
        progress: &Progress,
    ) -> Result<Captioned<'p>, PictureError> {
        let in_caption = |source| PictureError::caption(picture, source);
        let image = picture.open(&self.decoder)?;
        let start = Instant::now();
        let memory = self.encode(&image).map_err(in_caption)?;
        let encoded = Instant::now();
        let captions = match self.arguments.stream {
            true => progress.suspend(|| self.stream(picture, memory.clone()))?,
            false => self.write(memory.clone()).map_err(in_caption)?,
        };
        let times = [encoded - start, encoded.elapsed()];
        let mut captioned = self.captioned(picture, captions, times);
        if let Some(folder) = &self.arguments.attention {
            // The captions are printed even if this fails.
            let saved = report::catch(|| self.save_attention(folder, &captioned, &image, &memory));
            let saved = saved.unwrap_or_else(|fault| Err(PictureError::fault(picture, fault)));
            captioned.error = captioned.error.or(saved.err());
        }
        Ok(captioned)
    }

    /// The captions of a picture, with their translations if those were asked for. `times` are those of encoding and
    /// generating.
    pub(crate) fn captioned<'p>(
        &'p self,
        picture: &'p Picture,
        captions: Vec<LanguageCaptions>,
        [encode, generate]: [Duration; 2],
    ) -> Captioned<'p> {
        let mut captioned = Captioned {
            picture,
            captions,
            captioner: self.captioner,
            translations: Vec::new(),
            encode,
            generate,
            error: None,
        };
        if let Some(translator) = self.translator {
            // The captions are printed even if this fails.
            captioned.error = captioned.translate(translator).err();
        }
        captioned
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
        let config = &self.chosen.options.generation;
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
            false => captioner.caption_with(memory, languages, &self.chosen.options),
        };
        Ok(captions?.into_iter().flatten().collect())
    }

    /// Prints captions while they are written.
    fn stream(
        &self,
        picture: &Picture,
        memory: Memory,
    ) -> Result<Vec<LanguageCaptions>, PictureError> {
        let mut stream = Stream::new(self.program, picture, self.languages, self.arguments);
        stream.begin()?;
        let captions = self
            .captioner
            .stream(memory, self.languages, &self.chosen.options, |event| {
                stream.show(&event)
            })
            .map_err(|source| PictureError::caption(picture, source));
        stream.end(captions.is_ok())?;
        Ok(captions?.into_iter().flatten().collect())
    }

    fn save_attention(
        &self,
        folder: &Path,
        captioned: &Captioned<'_>,
        image: &RgbImage,
        memory: &Memory,
    ) -> Result<(), PictureError> {
        let layers = &self.arguments.attention_layers;
        let output = AttentionOutput {
            captioner: self.captioner,
            folder,
            layers: (!layers.is_empty()).then_some(layers.as_slice()),
            names: &self.names,
        };
        output.save(captioned, image, memory)
    }

    fn print(&self, captioned: &Captioned<'_>) -> Result<(), OutputError> {
        if self.arguments.json {
            return captioned.print_json(self.program, self.chosen);
        }
        if !self.arguments.stream {
            let scores = self.chosen.options.generation.num_return_sequences > 1
                || !self.arguments.score.is_empty();
            captioned.print_text(self.program, scores)?;
        }
        captioned.report_missing(self.program);
        Ok(())
    }

    fn print_failed(&self, picture: &Picture, error: &PictureError) -> Result<(), OutputError> {
        if self.arguments.json {
            return print_failed(self.program, picture, error);
        }
        self.program.message(message_about(error, picture.path()));
        Ok(())
    }
}
