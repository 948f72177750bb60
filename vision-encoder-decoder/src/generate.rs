use burn::tensor::{Device, Int, Tensor, TensorData, TensorReadError, s};
use generation::{
    ConfigError, Generation, GenerationConfig, Hypothesis, Prompt, StepModel, TokenBatch,
};

use crate::{Decoder, Encoder, Memory, Shortlist, VisionEncoderDecoder};

/// Why generation failed.
pub type GenerateError = generation::GenerateError<TensorReadError>;

/// A decoder's state on its device.
#[derive(Clone, Debug)]
pub struct DecodingState<S> {
    decoder: S,
    device: Device,
    shortlist: Option<Shortlist>,
    /// Of the latest step, `[rows, 1, width]`.
    hidden: Option<Tensor<3>>,
}

impl<E: Encoder, D: Decoder> VisionEncoderDecoder<E, D> {
    /// Captions images: up to `num_return_sequences` hypotheses for each, best first.
    ///
    /// # Errors
    /// [`GenerateError`]: contradictory options, no start token, or a device that failed.
    pub fn generate(
        &self,
        input: E::Input,
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<Hypothesis>>, GenerateError> {
        let start = config.start_token()?;
        let memory = self.encode(input);
        let [images, _, _] = memory.hidden.dims();
        let row_images: Vec<usize> = (0..images).collect();
        let prompts = vec![Prompt::new(vec![start]); images];
        self.generate_from(memory, &row_images, &prompts, config)
    }

    /// Continues prompts that look at encoded images: prompt `i` at image `row_images[i]`. Several
    /// prompts may look at one image, for example one per language.
    ///
    /// # Errors
    /// [`GenerateError`], likewise.
    ///
    /// # Panics
    /// If there is not one image number per prompt, or one names an image that is not there.
    pub fn generate_from(
        &self,
        memory: Memory,
        row_images: &[usize],
        prompts: &[Prompt],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<Hypothesis>>, GenerateError> {
        let generation = Generation::new(config.clone());
        self.generate_with(memory, row_images, prompts, generation, None)
    }

    /// Continues prompts with more than options: processors, stopping rules and searches of one's
    /// own, somebody who watches, alternatives ([`Generation`] has them all). Prompt `i` looks at
    /// image `row_images[i]`.
    ///
    /// With a [shortlist](Decoder::shortlist) only its tokens are scored: the result is that of
    /// making all others impossible, for less work.
    ///
    /// # Errors
    /// [`GenerateError`], likewise.
    ///
    /// # Panics
    /// Likewise.
    pub fn generate_with(
        &self,
        memory: Memory,
        row_images: &[usize],
        prompts: &[Prompt],
        generation: Generation<'_>,
        shortlist: Option<&Shortlist>,
    ) -> Result<Vec<Vec<Hypothesis>>, GenerateError> {
        // Before the memory is projected.
        generation.validate(prompts, self.decoder.vocab_size())?;
        for prompt in prompts {
            self.validate_length(generation.config(), prompt.tokens.len())?;
        }
        assert_eq!(row_images.len(), prompts.len(), "one image per prompt");
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        generation.run(self, self.begin(memory, row_images, shortlist), prompts)
    }

    /// The log-probabilities of given texts, `texts[i]` behind `prompts[i]` and looking at image
    /// `row_images[i]`; see [`Generation::score`].
    ///
    /// # Errors
    /// [`GenerateError`], likewise.
    ///
    /// # Panics
    /// Likewise.
    pub fn score(
        &self,
        memory: Memory,
        row_images: &[usize],
        prompts: &[Prompt],
        texts: &[Vec<u32>],
        generation: Generation<'_>,
    ) -> Result<Vec<Hypothesis>, GenerateError> {
        for (prompt, text) in prompts.iter().zip(texts) {
            let length = prompt.tokens.len() + text.len();
            self.validate_fed(length, length.saturating_sub(1))?;
        }
        assert_eq!(row_images.len(), prompts.len(), "one image per prompt");
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        generation.score(self, self.begin(memory, row_images, None), prompts, texts)
    }

    /// Checks that the decoder can write texts as long as the options allow behind a prompt of
    /// `prompt_length` tokens.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it has no positions for them.
    pub fn validate_length(
        &self,
        config: &GenerationConfig,
        prompt_length: usize,
    ) -> Result<(), ConfigError> {
        self.validate_fed(
            config.longest(prompt_length),
            config.longest_fed(prompt_length),
        )
    }

    /// Likewise for texts of `longest` tokens, of which the decoder is fed `fed`.
    fn validate_fed(&self, longest: usize, fed: usize) -> Result<(), ConfigError> {
        match self.decoder.max_positions() {
            Some(positions) if fed > positions => Err(ConfigError::Invalid(format!(
                "the longest text is {longest} tokens (max_length or max_new_tokens), but the model can write {}",
                positions + (longest - fed)
            ))),
            _ => Ok(()),
        }
    }

    /// A fresh state for whoever drives the steps: [`Generation::run`] with a [`StepModel`] around this
    /// one, for example. Row `r` will look at image `row_images[r]`.
    ///
    /// # Panics
    /// If there is no row, or one looks at an image that is not there.
    pub fn begin(
        &self,
        memory: Memory,
        row_images: &[usize],
        shortlist: Option<&Shortlist>,
    ) -> DecodingState<D::State> {
        let device = memory.hidden.device();
        DecodingState {
            decoder: self.decoder.start(memory, row_images),
            device,
            shortlist: shortlist.cloned(),
            hidden: None,
        }
    }
}

impl<E: Encoder, D: Decoder> StepModel for VisionEncoderDecoder<E, D> {
    type State = DecodingState<D::State>;
    type Error = TensorReadError;

    fn vocab_size(&self) -> usize {
        self.decoder.vocab_size()
    }

    fn step(
        &self,
        tokens: TokenBatch<'_>,
        state: &mut Self::State,
    ) -> Result<Vec<f32>, TensorReadError> {
        let new = tokens.new_tokens();
        let ids: Vec<i64> = tokens.ids().iter().map(|id| i64::from(*id)).collect();
        let ids = TensorData::new(ids, [tokens.rows(), new]);
        let ids = Tensor::<2, Int>::from_data(ids, &state.device);
        let hidden = self.decoder.forward(ids, None, &mut state.decoder);
        let last = hidden.slice(s![.., new - 1..new, ..]); // [rows, 1, width]
        state.hidden = Some(last.clone());
        let logits = match &state.shortlist {
            Some(shortlist) => shortlist.logits(last),
            None => self.decoder.logits(last),
        };
        logits.try_into_vec_as::<f32>()
    }

    fn recycle(&self, logits: Vec<f32>) {
        packed_linear::recycle(logits);
    }

    fn select_rows(
        &self,
        state: &mut Self::State,
        parents: &[usize],
    ) -> Result<(), TensorReadError> {
        self.decoder.select_rows(&mut state.decoder, parents);
        Ok(())
    }

    fn scored_tokens<'s>(&self, state: &'s Self::State) -> Option<&'s [u32]> {
        state.shortlist.as_ref().map(Shortlist::tokens)
    }

    fn hidden_states(&self, state: &Self::State) -> Result<Option<Vec<f32>>, TensorReadError> {
        let hidden = state.hidden.clone();
        hidden
            .map(|hidden| hidden.try_into_vec_as::<f32>())
            .transpose()
    }
}
