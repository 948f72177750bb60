//! Shows captions while they are written.

use std::collections::HashMap;
use std::ops::ControlFlow;

use generation::Event;
use preprocess::text::{Language, TextStream};
use vision_encoder_decoder::Memory;

use crate::{Caption, CaptionOptions, Captioner, Error, LanguageCaptions};

/// What happens while captions are written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CaptionEvent<'a> {
    /// A caption has grown, or another one has become the best.
    Draft {
        /// Index of the image.
        image: usize,
        /// The language.
        language: Language,
        /// Index of the caption among those of its image and language. In a beam search it is 0, since
        /// only the best is shown.
        sequence: usize,
        /// The part that does not change any more. It never ends within a character.
        settled: &'a str,
        /// The whole caption so far. In a beam search, another one may replace it later.
        draft: &'a str,
    },
    /// The captions of an image in a language are complete.
    Finished {
        /// Index of the image.
        image: usize,
        /// The language.
        language: Language,
        /// The captions, best first.
        captions: &'a [Caption],
    },
    /// No caption was found for an image in a language. The others go on.
    Failed {
        /// Index of the image.
        image: usize,
        /// The language.
        language: Language,
        /// The reason.
        error: &'a Error,
    },
}

impl Captioner {
    /// Captions encoded images as [`caption_with`](Self::caption_with) does, and calls an observer after
    /// each step. When it returns [`ControlFlow::Break`], no further step is made, and each caption is
    /// returned as it is.
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, the options are invalid, a text of the
    /// options can't be written with the model's tokens, or the device or the tokenizer fails.
    pub fn stream(
        &self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
        mut observer: impl FnMut(CaptionEvent<'_>) -> ControlFlow<()> + Send,
    ) -> Result<Vec<Vec<LanguageCaptions>>, Error> {
        let mut failed = None;
        let mut drafts = Drafts::new(self, languages.to_vec());
        let captions = self.generate(memory, languages, options, |generation| {
            generation.with_observer(|event| match drafts.show(event, &mut observer) {
                Ok(flow) => flow,
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            })
        })?;
        match failed {
            Some(error) => Err(error),
            None => Ok(captions),
        }
    }
}

/// Translates events of token ids into events of captions.
pub(crate) struct Drafts<'a> {
    captioner: &'a Captioner,
    languages: Vec<Language>,
    /// The settled tokens of each sequence of each prompt.
    texts: HashMap<(usize, usize), TextStream<'a>>,
}

impl<'a> Drafts<'a> {
    /// Of a call whose prompts are those of each image in these languages.
    pub(crate) fn new(captioner: &'a Captioner, languages: Vec<Language>) -> Self {
        Self {
            captioner,
            languages,
            texts: HashMap::new(),
        }
    }

    pub(crate) fn show(
        &mut self,
        event: Event<'_>,
        observer: &mut impl FnMut(CaptionEvent<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Error> {
        let captioner = self.captioner;
        match event {
            Event::Draft { prompt, draft } => {
                let (image, language) = self.image_and_language(prompt);
                let tokens = &draft.hypothesis.tokens;
                let text = self
                    .texts
                    .entry((prompt, draft.sequence))
                    .or_insert_with(|| captioner.tokenizer().text_stream(true));
                // Settled tokens never change, so each is decoded only once.
                if let Some(settled) = tokens.get(text.token_count()..draft.settled) {
                    text.push(settled)?;
                }
                let open = tokens.get(text.token_count()..).unwrap_or_default();
                let draft_text = text.text_with(open)?;
                Ok(observer(CaptionEvent::Draft {
                    image,
                    language,
                    sequence: draft.sequence,
                    settled: text.settled(),
                    draft: &draft_text,
                }))
            }
            Event::Finished { prompt, hypotheses } => {
                let (image, language) = self.image_and_language(prompt);
                let captions = captioner.read_result(language, Ok(hypotheses.to_vec()))?;
                Ok(observer(CaptionEvent::Finished {
                    image,
                    language,
                    captions: &captions,
                }))
            }
            Event::Failed { prompt, error } => {
                let (image, language) = self.image_and_language(prompt);
                Ok(observer(CaptionEvent::Failed {
                    image,
                    language,
                    error: &Error::no_caption(language, error.clone()),
                }))
            }
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    fn image_and_language(&self, prompt: usize) -> (usize, Language) {
        image_and_language(&self.languages, prompt)
    }
}

/// The index of a prompt's image, and its language, in a call whose prompts are those of each image in these languages.
pub(crate) fn image_and_language(languages: &[Language], prompt: usize) -> (usize, Language) {
    (
        prompt / languages.len(),
        languages[prompt % languages.len()],
    )
}
