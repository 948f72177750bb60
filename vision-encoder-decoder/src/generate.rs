use burn::tensor::{Device, Int, Tensor, TensorData, TensorReadError, s};
use generation::{
    ConfigError, Generation, GenerationConfig, Hypothesis, Prompt, PromptResult, StepModel,
    TokenBatch,
};
use transformer_layers::Shortlist;

use crate::{Decoder, Encoder, Memory, VisionEncoderDecoder};

/// Why a whole call of generation failed.
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
    /// Generates up to `num_return_sequences` texts for each source (each image), best first. A source
    /// without a result, because its logits are not finite for example, does not affect the others.
    ///
    /// # Errors
    /// [`GenerateError`] if the options contradict each other, there is no start token, or the device
    /// fails.
    pub fn generate(
        &self,
        input: E::Input,
        config: &GenerationConfig,
    ) -> Result<Vec<PromptResult>, GenerateError> {
        let start = config.start_token()?;
        let memory = self.encode(input);
        let [sources, _, _] = memory.hidden.dims();
        let row_sources: Vec<usize> = (0..sources).collect();
        let prompts = vec![Prompt::new(vec![start]); sources];
        self.generate_from(memory, &row_sources, &prompts, config)
    }

    /// Continues prompts, where prompt `i` attends to source `row_sources[i]` of the memory. Several
    /// prompts may attend to one source, for example one per language.
    ///
    /// # Errors
    /// [`GenerateError`] if the options contradict each other or a prompt, or the device fails.
    ///
    /// # Panics
    /// If there is not one source per prompt, or one does not exist.
    pub fn generate_from(
        &self,
        memory: Memory,
        row_sources: &[usize],
        prompts: &[Prompt],
        config: &GenerationConfig,
    ) -> Result<Vec<PromptResult>, GenerateError> {
        let generation = Generation::new(config.clone());
        self.generate_with(memory, row_sources, prompts, generation, None)
    }

    /// Continues prompts with everything that [`Generation`] has beside options: custom processors,
    /// stopping criteria and searches, an observer, alternatives. Prompt `i` attends to source
    /// `row_sources[i]` of the memory.
    ///
    /// With a [shortlist](Decoder::shortlist) only its tokens are scored. The results are those of
    /// forbidding all other tokens, for less work.
    ///
    /// # Errors
    /// [`GenerateError`] if the options contradict each other or a prompt, or the device fails.
    ///
    /// # Panics
    /// If there is not one source per prompt, or one does not exist.
    pub fn generate_with(
        &self,
        memory: Memory,
        row_sources: &[usize],
        prompts: &[Prompt],
        generation: Generation<'_>,
        shortlist: Option<&Shortlist>,
    ) -> Result<Vec<PromptResult>, GenerateError> {
        // Before the memory is projected.
        self.validate(&generation, prompts)?;
        assert_eq!(row_sources.len(), prompts.len(), "one source per prompt");
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        generation.run(self, self.begin(memory, row_sources, shortlist), prompts)
    }

    /// The log-probabilities of given texts, where `texts[i]` follows `prompts[i]` and attends to source
    /// `row_sources[i]` of the memory; see [`Generation::score`].
    ///
    /// # Errors
    /// [`GenerateError`] if the options contradict each other or a text, or the device fails.
    ///
    /// # Panics
    /// If there is not one source per prompt, or one does not exist.
    pub fn score(
        &self,
        memory: Memory,
        row_sources: &[usize],
        prompts: &[Prompt],
        texts: &[Vec<u32>],
        generation: Generation<'_>,
    ) -> Result<Vec<PromptResult<Hypothesis>>, GenerateError> {
        for (prompt, text) in prompts.iter().zip(texts) {
            let length = prompt.tokens.len() + text.len();
            self.validate_fed(length, length.saturating_sub(1))?;
        }
        assert_eq!(row_sources.len(), prompts.len(), "one source per prompt");
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        generation.score(self, self.begin(memory, row_sources, None), prompts, texts)
    }

    /// Checks a call before there is memory, as [`generate_with`](Self::generate_with) does.
    ///
    /// # Errors
    /// [`ConfigError`], naming the option; [`ConfigError::TooFewPositions`] if the decoder can't write texts that are as
    /// long as the options allow.
    pub fn validate(
        &self,
        generation: &Generation<'_>,
        prompts: &[Prompt],
    ) -> Result<(), ConfigError> {
        generation.validate(prompts, self.decoder.vocab_size())?;
        for prompt in prompts {
            self.validate_length(generation.config_of(prompt), prompt.tokens.len())?;
        }
        Ok(())
    }

    /// Checks that the decoder can write texts that are as long as the options allow, after a prompt of
    /// `prompt_length` tokens.
    ///
    /// # Errors
    /// [`ConfigError::TooFewPositions`] if it has too few positions.
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

    /// Checks that the decoder can write texts of `longest` tokens, of which it is fed `fed`.
    fn validate_fed(&self, longest: usize, fed: usize) -> Result<(), ConfigError> {
        match self.decoder.max_positions() {
            Some(positions) if fed > positions => Err(ConfigError::TooFewPositions {
                longest,
                most: positions + (longest - fed),
            }),
            _ => Ok(()),
        }
    }

    /// A fresh state for code that drives the steps itself, such as [`Generation::run`] with a
    /// [`StepModel`] around this one. Row `r` will attend to source `row_sources[r]` of the memory.
    ///
    /// # Panics
    /// If there are no rows, or one attends to a source that does not exist.
    pub fn begin(
        &self,
        memory: Memory,
        row_sources: &[usize],
        shortlist: Option<&Shortlist>,
    ) -> DecodingState<D::State> {
        let device = memory.hidden.device();
        DecodingState {
            decoder: self.decoder.start(memory, row_sources),
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

    fn can_join(&self, state: &Self::State, other: &Self::State) -> bool {
        self.scored_tokens(state) == self.scored_tokens(other)
            && self.decoder.can_join(&state.decoder, &other.decoder)
    }

    fn join(&self, state: &mut Self::State, other: Self::State) -> Result<(), TensorReadError> {
        self.decoder.join(&mut state.decoder, other.decoder);
        state.hidden = None;
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
