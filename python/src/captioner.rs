use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use burn::tensor::Device;
use captioning::{
    BatchSize, Caption, CaptionOptions, Failure, Language, LanguageCaptions, Pipeline, Weights,
    Words, card_defaults,
};
use pyo3::prelude::*;

use crate::error::{ImageError, image, model, option};
use crate::picture::Picture;
use crate::threads::Threads;

/// A captioner and its threads.
#[pyclass(frozen)]
pub(crate) struct Captioner {
    /// In a box, since Python's own memory is aligned to 16 bytes, which is less than a captioner needs.
    captioner: Box<captioning::Captioner>,
    threads: Threads,
}

/// What a call says about its captions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Call {
    languages: Vec<String>,
    /// `NAME=VALUE`, with the names of generation's options.
    settings: Vec<String>,
    prompt: String,
    prefix: String,
    required_words: Vec<String>,
    forbidden_words: Vec<String>,
    /// Pictures that are captioned at once; 0 means as many as are fast.
    batch_size: usize,
}

/// Language, text, score, tokens and their log-probabilities.
type Fields = (&'static str, String, f32, Vec<u32>, Vec<f32>);

/// The captions of a picture, or why there are none.
type Outcome = Result<Vec<Fields>, PyErr>;

#[pymethods]
impl Captioner {
    #[new]
    fn new(
        py: Python<'_>,
        name: Option<String>,
        tokenizer: Option<String>,
        languages: Option<Vec<String>>,
        weights: &str,
        threads: usize,
    ) -> PyResult<Self> {
        let weights: Weights = weights.parse().map_err(|error| option(&error))?;
        let threads = Threads::new(threads)?;
        let load = || {
            let mut builder = captioning::Captioner::builder()
                .weights(weights)
                .memory_map(true);
            if let Some(name) = name {
                builder = builder.name(name);
            }
            if let Some(tokenizer) = tokenizer {
                builder = builder.tokenizer_name(tokenizer);
            }
            if let Some(languages) = languages {
                builder = builder.languages(languages);
            }
            builder.build(&Device::flex())
        };
        let captioner = py.detach(|| threads.run(load))?;
        let captioner = captioner.map_err(|error| model(&error))?;
        Ok(Self {
            captioner: Box::new(captioner),
            threads,
        })
    }

    /// The codes of the languages that it writes.
    fn languages(&self) -> Vec<&'static str> {
        let languages = self.captioner.languages();
        languages.iter().map(|language| language.code).collect()
    }

    /// A list of captions for each picture, or the exception that says why it has none.
    fn caption<'py>(
        &self,
        py: Python<'py>,
        images: Vec<Py<PyAny>>,
        call: Call,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let languages = self.named(&call.languages)?;
        let options = self.options(&call)?;
        let outcomes = match images.as_slice() {
            [one] => vec![self.caption_one(py, one.bind(py), &languages, &options)?],
            _ => self.caption_many(py, images, &languages, &options, &call)?,
        };
        outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Ok(captions) => captions.into_pyobject(py),
                Err(error) => Ok(error.into_value(py).into_bound(py).into_any()),
            })
            .collect()
    }

    /// The scores of texts as captions of a picture.
    fn score(
        &self,
        py: Python<'_>,
        picture: Bound<'_, PyAny>,
        texts: Vec<String>,
        language: &str,
    ) -> PyResult<Vec<f32>> {
        let picture = Picture::from_python(&picture)?;
        let language = self.captioner.language(language);
        let language = language.map_err(|error| option(&error))?;
        let score = || {
            let picture = picture.open().map_err(|error| image(&error))?;
            let memory = self
                .captioner
                .encode(&[picture])
                .map_err(|error| image(&error))?;
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let config = self.captioner.generation_config();
            let scores = self.captioner.score(memory, language, &texts, config);
            let scores = scores.map_err(|error| option(&error))?;
            scores
                .into_iter()
                .flatten()
                .map(|caption| {
                    caption
                        .map(|caption| caption.score)
                        .map_err(|error| option(&error))
                })
                .collect()
        };
        py.detach(|| self.threads.run(score))?
    }
}

impl Captioner {
    fn named(&self, names: &[String]) -> PyResult<Vec<Language>> {
        let languages = names.iter().map(|name| self.captioner.language(name));
        languages
            .map(|language| language.map_err(|error| option(&error)))
            .collect()
    }

    /// The options of a call: what the user says, then what the checkpoint says, then those of the model card.
    fn options(&self, call: &Call) -> PyResult<CaptionOptions> {
        let words = |texts: &[String]| -> Result<Vec<Words>, captioning::Error> {
            texts.iter().map(|text| text.parse()).collect()
        };
        let options = || {
            let options = CaptionOptions {
                prompt: call.prompt.clone(),
                prefix: call.prefix.clone(),
                required: words(&call.required_words)?,
                forbidden: words(&call.forbidden_words)?,
                ..CaptionOptions::new(self.captioner.generation_config().clone())
            };
            let options = self
                .captioner
                .options(options, &call.settings, &card_defaults())?;
            self.captioner.validate_options(&options)?;
            Ok(options)
        };
        options().map_err(|error: captioning::Error| option(&error))
    }

    /// Captions a picture on all threads.
    fn caption_one(
        &self,
        py: Python<'_>,
        picture: &Bound<'_, PyAny>,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> PyResult<Outcome> {
        let picture = match Picture::from_python(picture) {
            Ok(picture) => picture,
            Err(error) => return Ok(Err(error)),
        };
        let work = || -> Outcome {
            let picture = picture.open().map_err(|error| image(&error))?;
            let memory = self.captioner.encode(&[picture]);
            let memory = memory.map_err(|error| image(&error))?;
            let captions = self.captioner.caption_with(memory, languages, options);
            let captions = captions.map_err(|error| image(&error))?;
            fields(captions.into_iter().flatten().collect())
        };
        py.detach(|| self.threads.run(work))
    }

    /// Captions pictures at once. Few of them are in memory at a time.
    fn caption_many(
        &self,
        py: Python<'_>,
        images: Vec<Py<PyAny>>,
        languages: &[Language],
        options: &CaptionOptions,
        call: &Call,
    ) -> PyResult<Vec<Outcome>> {
        let batch_size = match NonZeroUsize::new(call.batch_size) {
            Some(size) => BatchSize::Pictures(size),
            None => BatchSize::Auto,
        };
        // On the captioner's threads, since a pipeline starts as many of its own.
        let pipeline = self
            .threads
            .run(|| Pipeline::new(&self.captioner, languages, options))?
            .map_err(|error| option(&error))?
            .with_batch_size(batch_size);
        let pictures = images
            .into_iter()
            .map(|object| Python::attach(|py| Some(Picture::from_python(&object.into_bound(py)))));
        let open = |picture: &mut Option<PyResult<Picture>>| {
            let missing = || Err(ImageError::new_err("the picture was opened before"));
            let picture = picture.take().unwrap_or_else(missing)?;
            picture.open().map_err(|error| image(&error))
        };
        let mut outcomes = Vec::new();
        let mut signals = Ok(());
        let ran = py.detach(|| {
            pipeline.run(pictures, open, |record| {
                outcomes.push(match record.captions {
                    Ok(captions) => fields(captions),
                    Err(Failure::Open(error)) => Err(error),
                    Err(failure) => Err(image(&failure)),
                });
                // Ctrl-C ends a long call.
                signals = Python::attach(|py| py.check_signals());
                match signals {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            })
        });
        ran.map_err(|error| option(&error))?;
        signals?;
        Ok(outcomes)
    }
}

/// The captions of a picture in all languages.
fn fields(languages: Vec<LanguageCaptions>) -> Outcome {
    let mut all = Vec::new();
    for language in languages {
        let captions = language.captions.map_err(|error| image(&error))?;
        all.extend(captions.into_iter().map(|caption| {
            let Caption {
                language,
                text,
                score,
                ids,
                token_log_probs,
                ..
            } = caption;
            (language.code, text, score, ids, token_log_probs)
        }));
    }
    Ok(all)
}
