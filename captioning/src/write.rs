//! Captions with words of one's own, and captions as they come.

use std::collections::HashMap;
use std::ops::ControlFlow;

use generation::{Event, Generation, Hypothesis, Phrase, Prompt};
use mbart50_decoder::Language;
use vision_encoder_decoder::{GenerateError, Memory};

use crate::{Caption, CaptionOptions, Captioner, Error, Words};

/// What there is to see while captions are written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum CaptionEvent<'a> {
    /// A caption has grown, or a better one is under way.
    Draft {
        /// Number of the image.
        image: usize,
        /// The language.
        language: Language,
        /// Which of the language's captions it is; of a beam search, 0: the best.
        sequence: usize,
        /// What of it no longer changes: safe to print, as it has no half characters.
        settled: &'a str,
        /// The best that there is, which may become another.
        draft: &'a str,
    },
    /// The captions of an image in a language are complete.
    Finished {
        /// Number of the image.
        image: usize,
        /// The language.
        language: Language,
        /// The captions, best first.
        captions: &'a [Caption],
    },
}

impl Captioner {
    /// Captions images that are encoded already: for each, in the order of the languages and best
    /// first, `num_return_sequences` captions per language.
    ///
    /// # Errors
    /// [`Error`]: a language that the model does not write, contradictory options, words that are
    /// none, or required words that no caption was found with.
    pub fn caption_with(
        &self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> Result<Vec<Vec<Caption>>, Error> {
        self.run(memory, languages, options, |generation| generation)
    }

    /// Likewise, and tells a function what there is to see on the way. On [`ControlFlow::Break`]
    /// nothing more is written, and what there is of each caption is returned.
    ///
    /// # Errors
    /// [`Error`], likewise.
    pub fn stream(
        &self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
        mut observer: impl FnMut(CaptionEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<Caption>>, Error> {
        let mut failed = None;
        let mut watch = Watch {
            captioner: self,
            languages,
            settled: HashMap::new(),
        };
        let captions = self.run(memory, languages, options, |generation| {
            generation.with_observer(|event| match watch.tell(event, &mut observer) {
                Ok(goes_on) => goes_on,
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

    /// Checks options before there is an image: what [`caption_with`](Self::caption_with) would
    /// refuse, but for a shortlist that lacks the end token.
    ///
    /// # Errors
    /// [`Error`], naming the options.
    pub fn validate_options(&self, options: &CaptionOptions) -> Result<(), Error> {
        // One language stands for all: their prompts differ in the code alone.
        let languages = self.languages().get(..1).unwrap_or_default();
        let prompts = self.prompts(languages, options)?;
        let model = self.model();
        self.generation(options)
            .validate(&prompts, model.decoder.vocab_size())
            .map_err(GenerateError::from)?;
        for prompt in &prompts {
            model
                .validate_length(&options.generation, prompt.tokens.len())
                .map_err(GenerateError::from)?;
        }
        Ok(())
    }

    fn run<'g>(
        &self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
        watched: impl FnOnce(Generation<'g>) -> Generation<'g>,
    ) -> Result<Vec<Vec<Caption>>, Error> {
        let [images, _, _] = memory.hidden.dims();
        let prompts = vec![self.prompts(languages, options)?; images].concat();
        // One row per image and language, all in one batch.
        let row_images: Vec<usize> = (0..images)
            .flat_map(|image| languages.iter().map(move |_| image))
            .collect();
        let found = self
            .model()
            .generate_with(
                memory,
                &row_images,
                &prompts,
                watched(self.generation(options)),
                options.shortlist.as_ref(),
            )
            .map_err(|error| match error {
                GenerateError::PhrasesMissing { prompt, .. } => Error::WordsMissing {
                    language: languages[prompt % languages.len()].code,
                },
                other => other.into(),
            })?;
        let mut captions: Vec<Vec<Caption>> = vec![Vec::new(); images];
        let rows = row_images.into_iter().zip(languages.iter().cycle());
        for (hypotheses, (image, language)) in found.into_iter().zip(rows) {
            captions[image].extend(self.read_all(*language, hypotheses)?);
        }
        Ok(captions)
    }

    fn generation<'g>(&self, options: &CaptionOptions) -> Generation<'g> {
        let generation =
            Generation::new(options.generation.clone()).with_alternatives(options.alternatives);
        let needs_text = !(options.generation.stop_strings.is_empty()
            && options.required.is_empty()
            && options.forbidden.is_empty());
        match needs_text {
            true => generation.with_vocabulary(self.vocabulary().clone()),
            false => generation,
        }
    }

    /// A prompt for each language.
    fn prompts(
        &self,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> Result<Vec<Prompt>, Error> {
        let start = options
            .generation
            .start_token()
            .map_err(GenerateError::from)?;
        let prefix = match options.prefix.trim() {
            "" => Vec::new(),
            prefix => self.pieces(prefix)?,
        };
        let phrases = |words: &[Words]| -> Result<Vec<Phrase>, Error> {
            words.iter().map(|words| words.phrase(self)).collect()
        };
        let required = phrases(&options.required)?;
        let forbidden = phrases(&options.forbidden)?;
        let mut prompts = Vec::with_capacity(languages.len());
        for language in languages {
            let language = self.language(language.code)?;
            let code = self.tokenizer().language_id(language.code)?;
            let mut prompt = Prompt::new(vec![start]).with_forced_bos_token_id(code);
            if !prefix.is_empty() {
                prompt.tokens.push(code);
                prompt.tokens.extend(&prefix);
            }
            prompts.push(Prompt {
                required: required.clone(),
                forbidden: forbidden.clone(),
                ..prompt
            });
        }
        Ok(prompts)
    }

    fn read_all(&self, language: Language, found: Vec<Hypothesis>) -> Result<Vec<Caption>, Error> {
        let found = found.into_iter();
        found.map(|found| self.read(language, found)).collect()
    }
}

/// Turns what happens to tokens into what happens to captions.
struct Watch<'a> {
    captioner: &'a Captioner,
    languages: &'a [Language],
    /// What has been told of each prompt's texts.
    settled: HashMap<(usize, usize), String>,
}

impl Watch<'_> {
    fn tell(
        &mut self,
        event: Event<'_>,
        observer: &mut impl FnMut(CaptionEvent<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Error> {
        let place = |prompt: usize| {
            let language = self.languages[prompt % self.languages.len()];
            (prompt / self.languages.len(), language)
        };
        match event {
            Event::Draft { prompt, draft } => {
                let (image, language) = place(prompt);
                let tokens = &draft.hypothesis.tokens;
                let now = self.text(&tokens[..draft.settled])?;
                let draft_text = self.text(tokens)?;
                let settled = self.settled.entry((prompt, draft.sequence)).or_default();
                // A decoder that looks ahead could take something back; that is not settled then.
                if now.starts_with(settled.as_str()) {
                    *settled = now;
                }
                Ok(observer(CaptionEvent::Draft {
                    image,
                    language,
                    sequence: draft.sequence,
                    settled,
                    draft: &draft_text,
                }))
            }
            Event::Finished { prompt, hypotheses } => {
                let (image, language) = place(prompt);
                let captions = self.captioner.read_all(language, hypotheses.to_vec())?;
                Ok(observer(CaptionEvent::Finished {
                    image,
                    language,
                    captions: &captions,
                }))
            }
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// The text of tokens without a character at its end that is only half there.
    fn text(&self, tokens: &[u32]) -> Result<String, Error> {
        let text = self.captioner.tokenizer().decode(tokens, true)?;
        Ok(text.trim_end_matches('\u{fffd}').to_owned())
    }
}
