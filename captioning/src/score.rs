use generation::{Generation, GenerationConfig, Prompt};
use preprocess::text::Language;
use vision_encoder_decoder::{GenerateError, Memory};

use crate::{Caption, Captioner, Error};

impl Captioner {
    /// Scores given texts as captions of encoded images. The result has an entry for each image, with a
    /// [`Caption`] for each text that has its score and the log-probability of each of its tokens.
    ///
    /// A text is written as a [prefix](crate::CaptionOptions::prefix) is: without spaces around it, and with
    /// tokens that add text. The name of a special token is not that token.
    ///
    /// Of `config`, only the start token and `length_penalty` are used. Scores can therefore be compared
    /// with each other, and with those of [`caption`](Self::caption) if its other options do not change
    /// logits, as `repetition_penalty` does for example.
    ///
    /// # Errors
    /// [`Error::Unwritable`] if a text has a character without a token or the name of a special token;
    /// another [`Error`] if the model does not write the language, a text is longer than the model can write,
    /// or the device fails. A text whose logits are not finite has [`Error::NoCaption`] in the result, and the
    /// other texts keep their scores.
    pub fn score(
        &self,
        memory: Memory,
        language: Language,
        texts: &[&str],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<Result<Caption, Error>>>, Error> {
        let language = self.language(language.code)?;
        let start = config.start_token().map_err(GenerateError::from)?;
        let code = self.language_token(language)?;
        let prompt = Prompt {
            forced_bos_token_id: code,
            ..Prompt::new(vec![start])
        };
        let mut ids = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.trim();
            // Tokens that add no text would get the score of another text.
            self.pieces(text)?;
            ids.push(match code {
                Some(_) => self.tokenizer().encode(text, language.code, None)?,
                // As labels have it in training.
                None => self
                    .tokenizer()
                    .encode_to_end(text, &config.eos_token_id, None)?,
            });
        }

        let [images, _, _] = memory.hidden.dims();
        let row_sources: Vec<usize> = (0..images)
            .flat_map(|image| vec![image; texts.len()])
            .collect();
        let generation = Generation::new(GenerationConfig {
            length_penalty: config.length_penalty,
            ..GenerationConfig::default()
        });
        let prompts = vec![prompt; row_sources.len()];
        let ids = vec![ids; images].concat();
        let found = self
            .model()
            .score(memory, &row_sources, &prompts, &ids, generation)?;
        let mut captions: Vec<Vec<Result<Caption, Error>>> = Vec::with_capacity(images);
        captions.resize_with(images, Vec::new);
        let texts = texts.iter().cycle();
        for ((found, image), text) in found.into_iter().zip(row_sources).zip(texts) {
            let caption = found
                .map_err(|error| Error::no_caption(language, error))
                .and_then(|found| self.read(language, found));
            captions[image].push(caption.map(|caption| Caption {
                // The tokens stand for the normalised text.
                text: (*text).to_owned(),
                ..caption
            }));
        }
        Ok(captions)
    }
}
