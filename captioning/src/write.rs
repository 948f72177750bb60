//! Writes captions.

use generation::{Generation, GenerationConfig, Phrase, Prompt, PromptResult};
use preprocess::image::RgbImage;
use preprocess::text::Language;
use vision_encoder_decoder::{GenerateError, Memory};

use crate::{Caption, CaptionOptions, Captioner, Error, LanguageCaptions, Words};

impl Captioner {
    /// Captions images in several languages. The result has an entry for each image, with an entry for
    /// each language, with `num_return_sequences` captions, best first.
    ///
    /// The code of a language is forced, so `forced_bos_token_id` of `config` is ignored unless the model has no
    /// languages. If no caption is found
    /// for an image in one language, the other images and languages keep theirs.
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, the options are invalid, an image can't
    /// be prepared, or the device fails.
    pub fn caption(
        &self,
        images: &[RgbImage],
        languages: &[Language],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<LanguageCaptions>>, Error> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        self.caption_encoded(self.encode(images)?, languages, config)
    }

    /// Captions images that [`encode`](Self::encode) has encoded. The result is that of
    /// [`caption`](Self::caption).
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, the options are invalid, or the device
    /// fails.
    pub fn caption_encoded(
        &self,
        memory: Memory,
        languages: &[Language],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<LanguageCaptions>>, Error> {
        self.caption_with(memory, languages, &CaptionOptions::new(config.clone()))
    }

    /// Captions encoded images with all options. The result has an entry for each image, with an entry for
    /// each language, with `num_return_sequences` captions, best first.
    ///
    /// If no caption is found for an image in one language, because none has all required words for
    /// example, the other images and languages keep theirs.
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, the options are invalid, a text of the
    /// options can't be written with the model's tokens, the prompt is a special token that the tokenizer does not have,
    /// or the device fails.
    pub fn caption_with(
        &self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> Result<Vec<Vec<LanguageCaptions>>, Error> {
        self.generate(memory, languages, options, |generation| generation)
    }

    /// Checks options before there is an image, as [`caption`](Self::caption) would.
    ///
    /// # Errors
    /// [`Error::Generate`], naming the invalid options.
    pub fn validate(&self, config: &GenerationConfig) -> Result<(), Error> {
        self.validate_options(&CaptionOptions::new(config.clone()))
    }

    /// Checks options before there is an image, as [`caption_with`](Self::caption_with) would. Only a
    /// shortlist without the end token is not found here.
    ///
    /// # Errors
    /// [`Error::Generate`], naming the invalid options, [`Error::Unwritable`] for a text that can't be written with
    /// the model's tokens, [`Error::UnknownToken`] for a prompt that is a special token which the tokenizer does not
    /// have, or [`Error::Preprocess`] if the tokenizer can't split texts.
    pub fn validate_options(&self, options: &CaptionOptions) -> Result<(), Error> {
        // One language is enough, since the prompts of others differ only in the code.
        let languages = self.languages().get(..1).unwrap_or_default();
        let prompts = self.prompts(languages, options)?;
        let generation = self.generation(options, &prompts);
        let valid = self.model().validate(&generation, &prompts);
        Ok(valid.map_err(GenerateError::from)?)
    }

    /// Captions encoded images. `configure` may change the call, to observe it for example.
    pub(crate) fn generate<'g>(
        &self,
        memory: Memory,
        languages: &[Language],
        options: &CaptionOptions,
        configure: impl FnOnce(Generation<'g>) -> Generation<'g>,
    ) -> Result<Vec<Vec<LanguageCaptions>>, Error> {
        let [images, _, _] = memory.hidden.dims();
        let (prompts, row_sources) = self.prompts_of_images(images, languages, options)?;
        let generation = self.generation(options, &prompts);
        let results = self.model().generate_with(
            memory,
            &row_sources,
            &prompts,
            configure(generation),
            options.shortlist.as_ref(),
        )?;
        let mut captions: Vec<Vec<LanguageCaptions>> = Vec::with_capacity(images);
        captions.resize_with(images, Vec::new);
        let prompts = row_sources.into_iter().zip(languages.iter().cycle());
        for (result, (image, language)) in results.into_iter().zip(prompts) {
            captions[image].push(LanguageCaptions {
                language: *language,
                captions: self.read_result(*language, result),
            });
        }
        Ok(captions)
    }

    /// Turns the result for one image and language into captions.
    pub(crate) fn read_result(
        &self,
        language: Language,
        result: PromptResult,
    ) -> Result<Vec<Caption>, Error> {
        let found = result.map_err(|error| Error::no_caption(language, error))?;
        let captions = found.into_iter().map(|found| self.read(language, found));
        captions.collect()
    }

    /// A prompt for each image and language, all of which can be in one batch, and the image of each.
    pub(crate) fn prompts_of_images(
        &self,
        images: usize,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> Result<(Vec<Prompt>, Vec<usize>), Error> {
        let prompts = vec![self.prompts(languages, options)?; images].concat();
        let images = (0..images).flat_map(|image| vec![image; languages.len()]);
        Ok((prompts, images.collect()))
    }

    pub(crate) fn generation<'g>(
        &self,
        options: &CaptionOptions,
        prompts: &[Prompt],
    ) -> Generation<'g> {
        let generation = Generation::new(self.writable(options, prompts))
            .with_alternatives(options.alternatives);
        let needs_text = !(options.generation.stop_strings.is_empty()
            && options.required.is_empty()
            && options.forbidden.is_empty());
        match needs_text {
            true => generation.with_vocabulary(self.vocabulary().clone()),
            false => generation,
        }
    }

    /// A prompt for each language.
    pub(crate) fn prompts(
        &self,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> Result<Vec<Prompt>, Error> {
        let start = self.start(options)?;
        let prefix = match options.prefix.trim() {
            "" => Vec::new(),
            prefix => self.pieces(prefix)?,
        };
        let phrases = |words: &[Words]| -> Result<Vec<Phrase>, Error> {
            words.iter().map(|words| self.phrase(words)).collect()
        };
        let required = phrases(&options.required)?;
        let forbidden = phrases(&options.forbidden)?;
        let mut prompts = Vec::with_capacity(languages.len());
        for language in languages {
            let language = self.language(language.code)?;
            let mut prompt = Prompt::new(start.clone());
            if let Some(code) = self.language_token(language)? {
                prompt.forced_bos_token_id = Some(code);
                // A token can be forced right after the start token only.
                if start.len() > 1 || !prefix.is_empty() {
                    prompt.tokens.push(code);
                }
            }
            prompt.tokens.extend(&prefix);
            prompts.push(Prompt {
                required: required.clone(),
                forbidden: forbidden.clone(),
                ..prompt
            });
        }
        Ok(prompts)
    }

    /// The tokens before the language code: the start token, and the prompt after it or in its place.
    fn start(&self, options: &CaptionOptions) -> Result<Vec<u32>, Error> {
        let tokens = match options.prompt.trim() {
            "" => Vec::new(),
            prompt => self.prompt_tokens(prompt)?,
        };
        if !tokens.is_empty() && self.pretrained.config.encoder.prompt_replaces_start_token() {
            return Ok(tokens);
        }
        let start = options
            .generation
            .start_token()
            .map_err(GenerateError::from)?;
        let mut all = vec![start];
        // Who writes the start token does not mean two.
        all.extend(tokens.strip_prefix(&[start]).unwrap_or(&tokens));
        Ok(all)
    }

    /// The tokens of a prompt that is not empty.
    fn prompt_tokens(&self, prompt: &str) -> Result<Vec<u32>, Error> {
        let tokens = self.tokenizer().encode_text(prompt, false)?;
        let inner = prompt
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'));
        let is_name = |inner: &str| !inner.contains(['<', '>', ' ']);
        // A task that is misspelled would be read as text, and answered with nonsense.
        match inner.is_some_and(is_name) && tokens.len() > 1 {
            true => Err(Error::UnknownToken {
                token: prompt.to_owned(),
            }),
            false => Ok(tokens),
        }
    }
}
