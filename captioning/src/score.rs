use generation::{Generation, GenerationConfig, Prompt};
use mbart50_decoder::Language;
use vision_encoder_decoder::{GenerateError, Memory};

use crate::{Caption, Captioner, Error};

impl Captioner {
    /// How likely the model finds texts that are given: for each encoded image, in their order, a
    /// [`Caption`] with the score and the log-probability of each token.
    ///
    /// Scores are those that the model gives when nothing but the language is asked for, so they
    /// compare with those of [`caption`](Self::caption) under options that change none, and with
    /// each other. Of `config` only the start token and `length_penalty` count.
    ///
    /// # Errors
    /// [`Error`]: a language that the model does not write, or a text longer than the model can
    /// write.
    pub fn score(
        &self,
        memory: Memory,
        language: Language,
        texts: &[&str],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<Caption>>, Error> {
        let language = self.language(language.code)?;
        let start = config.start_token().map_err(GenerateError::from)?;
        let code = self.tokenizer().language_id(language.code)?;
        let prompt = Prompt::new(vec![start]).with_forced_bos_token_id(code);
        let mut ids = Vec::with_capacity(texts.len());
        for text in texts {
            ids.push(self.tokenizer().encode(text, language.code, None)?);
        }

        let [images, _, _] = memory.hidden.dims();
        let row_images: Vec<usize> = (0..images)
            .flat_map(|image| vec![image; texts.len()])
            .collect();
        let generation = Generation::new(GenerationConfig {
            length_penalty: config.length_penalty,
            ..GenerationConfig::default()
        });
        let prompts = vec![prompt; row_images.len()];
        let ids = vec![ids; images].concat();
        let found = self
            .model()
            .score(memory, &row_images, &prompts, &ids, generation)?;
        let mut captions = vec![Vec::with_capacity(texts.len()); images];
        let texts = texts.iter().cycle();
        for ((found, image), text) in found.into_iter().zip(row_images).zip(texts) {
            captions[image].push(Caption {
                text: (*text).to_owned(), // not what is left of it without unknown characters
                ..self.read(language, found)?
            });
        }
        Ok(captions)
    }
}
