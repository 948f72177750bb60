use burn::tensor::{Device, Tensor, TensorData};
use generation::{Generation, GenerationConfig, Hypothesis, Prompt, PromptResult};
use marian::{Marian, SourceTokens};
use packed_linear::Format;
use preprocess::text::MarianTokenizer;
use pretrained::{LoadNotice, PretrainedTranslator};

use crate::batches::{batches, most_texts};
use crate::{Error, TextError};

/// Tokens of source texts that are translated at once, unless a user says something else.
pub(crate) const BATCH_TOKENS: usize = 2048;

/// Translates texts. [`Translator::builder`] loads one.
#[derive(Debug)]
pub struct Translator {
    pretrained: PretrainedTranslator,
    tokenizer: MarianTokenizer,
    language: Option<String>,
    long_texts: LongTexts,
    batch_tokens: usize,
    device: Device,
}

/// What happens to texts that are longer than the model can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongTexts {
    /// They have an error, [`TextError::TooLong`].
    #[default]
    Refuse,
    /// Their last tokens are left out, as Hugging Face's `truncation=True` does. [`Translated::is_cut`] says so.
    Cut,
}

/// The translations of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Translated {
    /// At least one, the best first; `num_return_sequences` of them, unless the text is empty.
    pub translations: Vec<Translation>,
    /// Whether the end of the text was left out.
    pub is_cut: bool,
}

/// A translation.
#[derive(Clone, Debug, PartialEq)]
pub struct Translation {
    /// The text.
    pub text: String,
    /// The log-probability of the tokens, divided by a power of their number in beam search: Hugging Face's
    /// `sequences_scores`. Of an empty text, 0.
    pub score: f32,
    /// The tokens, with the end token.
    pub ids: Vec<u32>,
    /// Whether the model ended the text itself, before it reached the greatest length.
    pub is_finished: bool,
}

impl Translated {
    /// The best translation.
    pub fn best(&self) -> &Translation {
        &self.translations[0]
    }
}

/// A text as token ids.
struct Source {
    /// Where it is among the texts of the call.
    index: usize,
    ids: Vec<u32>,
    is_cut: bool,
}

impl Translator {
    /// Joins parts that are already loaded.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] if the tokenizer has more tokens than the model.
    pub fn new(
        pretrained: PretrainedTranslator,
        tokenizer: MarianTokenizer,
        device: &Device,
    ) -> Result<Self, Error> {
        let config = &pretrained.config;
        for (side, tokenizer, model) in [
            ("source", tokenizer.vocab_size(), config.vocab_size),
            (
                "target",
                tokenizer.target_vocab_size(),
                config.target_vocab_size(),
            ),
        ] {
            if tokenizer > model {
                return Err(Error::Vocabulary {
                    side,
                    tokenizer,
                    model,
                });
            }
        }
        Ok(Self {
            pretrained,
            tokenizer,
            language: None,
            long_texts: LongTexts::default(),
            batch_tokens: BATCH_TOKENS,
            device: device.clone(),
        })
    }

    pub(crate) fn with_settings(
        mut self,
        language: Option<String>,
        long_texts: LongTexts,
        batch_tokens: usize,
    ) -> Result<Self, Error> {
        if let Some(language) = &language {
            self.tokenizer.language_id(language)?;
        }
        self.language = language;
        self.long_texts = long_texts;
        self.batch_tokens = batch_tokens;
        Ok(self)
    }

    /// Translates texts with the translator's [options](Self::generation_config). Results are in the order of the
    /// texts.
    ///
    /// # Errors
    /// [`Error::Generate`] if the options are invalid or the device fails.
    pub fn translate<T: AsRef<str>>(
        &self,
        texts: &[T],
    ) -> Result<Vec<Result<Translated, TextError>>, Error> {
        self.translate_with(texts, self.generation_config(), &mut |_| ())
    }

    /// Translates texts with other options, and calls a function after each batch with the number of texts that are
    /// done. Results are in the order of the texts.
    ///
    /// # Errors
    /// [`Error::Generate`] if the options are invalid or the device fails.
    pub fn translate_with<T: AsRef<str>>(
        &self,
        texts: &[T],
        config: &GenerationConfig,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Result<Translated, TextError>>, Error> {
        let start = config
            .start_token()
            .map_err(vision_encoder_decoder::GenerateError::from)?;
        let mut results: Vec<Option<Result<Translated, TextError>>> = Vec::new();
        let mut sources = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            results.push(match text.trim().is_empty() {
                true => Some(Ok(Translated::empty())),
                false => match self.source(index, text) {
                    Ok(source) => {
                        sources.push(source);
                        None
                    }
                    Err(error) => Some(Err(error)),
                },
            });
        }
        let mut count = texts.len() - sources.len();
        done(count);
        let lengths: Vec<usize> = sources.iter().map(|source| source.ids.len()).collect();
        let most = most_texts(config.num_beams, self.pretrained.config.target_vocab_size());
        let (order, parts) = batches(&lengths, self.batch_tokens, most);
        for part in parts {
            let batch: Vec<&Source> = order[part].iter().map(|place| &sources[*place]).collect();
            let found = self.search(&batch, start, config)?;
            for (source, found) in batch.iter().zip(found) {
                results[source.index] = Some(match found {
                    Ok(found) => Ok(self.read(source, found, config)),
                    Err(error) => Err(error.into()),
                });
            }
            count += batch.len();
            done(count);
        }
        // Every text is empty, refused, or in one batch.
        Ok(results.into_iter().flatten().collect())
    }

    /// Checks options without translating anything.
    ///
    /// # Errors
    /// [`Error::Generate`], naming the option.
    pub fn validate(&self, config: &GenerationConfig) -> Result<(), Error> {
        let error = vision_encoder_decoder::GenerateError::from;
        let start = config.start_token().map_err(error)?;
        let generation = Generation::new(config.clone());
        let prompts = [Prompt::new(vec![start])];
        Ok(self
            .model()
            .validate(&generation, &prompts)
            .map_err(error)?)
    }

    /// The tokens of a text.
    fn source(&self, index: usize, text: &str) -> Result<Source, TextError> {
        let most = self.max_source_tokens();
        let language = self.language.as_deref();
        let mut ids = self.tokenizer.encode(text, language, None)?;
        if ids.len() <= most {
            return Ok(Source {
                index,
                ids,
                is_cut: false,
            });
        }
        match self.long_texts {
            LongTexts::Refuse => Err(TextError::TooLong {
                tokens: ids.len(),
                most,
            }),
            LongTexts::Cut => {
                // The end token stays.
                ids.drain(most - 1..ids.len() - 1);
                Ok(Source {
                    index,
                    ids,
                    is_cut: true,
                })
            }
        }
    }

    fn search(
        &self,
        batch: &[&Source],
        start: u32,
        config: &GenerationConfig,
    ) -> Result<Vec<PromptResult>, Error> {
        let memory = self.model().encode(self.tokens(batch));
        let row_sources: Vec<usize> = (0..batch.len()).collect();
        let prompts = vec![Prompt::new(vec![start]); batch.len()];
        let model = self.model();
        Ok(model.generate_from(memory, &row_sources, &prompts, config)?)
    }

    /// The input of the encoder, with padding where texts are shorter than others.
    fn tokens(&self, batch: &[&Source]) -> SourceTokens {
        let lengths = batch.iter().map(|source| source.ids.len());
        let longest = lengths.clone().max().unwrap_or(0);
        let shape = [batch.len(), longest];
        let padding_id = self.tokenizer.padding_id();
        let ids = batch.iter().flat_map(|source| {
            let padding = std::iter::repeat_n(padding_id, longest - source.ids.len());
            source.ids.iter().copied().chain(padding).map(i64::from)
        });
        let ids = TensorData::new(ids.collect::<Vec<i64>>(), shape);
        let tokens = SourceTokens::new(Tensor::from_data(ids, &self.device));
        if lengths.clone().all(|length| length == longest) {
            return tokens;
        }
        let padding = lengths.flat_map(|length| (0..longest).map(move |place| place >= length));
        let padding = TensorData::new(padding.collect::<Vec<bool>>(), shape);
        tokens.with_padding(Tensor::from_data(padding, &self.device))
    }

    fn read(
        &self,
        source: &Source,
        found: Vec<Hypothesis>,
        config: &GenerationConfig,
    ) -> Translated {
        let longest = config.longest(1);
        let translations = found.into_iter().map(|found| {
            let ids = found.generated_tokens().to_vec();
            // An end token is forced at the greatest length.
            let ends = ids
                .last()
                .is_some_and(|id| config.eos_token_id.contains(id));
            Translation {
                text: self.tokenizer.decode(&ids, true),
                score: found.score,
                is_finished: ends && found.tokens.len() < longest,
                ids,
            }
        });
        Translated {
            translations: translations.collect(),
            is_cut: source.is_cut,
        }
    }

    /// Most tokens of a source text, with the end token: what the model can read, or less if the tokenizer says so.
    pub fn max_source_tokens(&self) -> usize {
        let positions = self.pretrained.config.max_position_embeddings;
        let limit = self.tokenizer.max_length();
        limit.map_or(positions, |limit| limit.clamp(2, positions.max(2)))
    }

    /// The generation options of the checkpoint, with the changes made by the
    /// [builder](crate::TranslatorBuilder::generation).
    pub fn generation_config(&self) -> &GenerationConfig {
        &self.pretrained.generation_config
    }

    /// What was unusual about the checkpoint, for users to know.
    pub fn notices(&self) -> &[LoadNotice] {
        &self.pretrained.notices
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &MarianTokenizer {
        &self.tokenizer
    }

    /// The model.
    pub fn model(&self) -> &Marian {
        &self.pretrained.model
    }

    /// The format that weights are packed in, or `None` if they are ordinary `f32` tensors.
    pub fn format(&self) -> Option<Format> {
        self.pretrained.format
    }

    /// The name of the kernel that multiplies packed weights on this machine, or `None` if Burn's own operations do.
    pub fn kernel(&self) -> Option<&'static str> {
        self.format()
            .filter(|_| packed_linear::has_kernels(&self.device))
            .and_then(packed_linear::kernel)
    }
}

impl Translated {
    /// The translation of an empty text.
    fn empty() -> Self {
        Self {
            translations: vec![Translation {
                text: String::new(),
                score: 0.0,
                ids: Vec::new(),
                is_finished: true,
            }],
            is_cut: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translator_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<Translator>();
    }
}
