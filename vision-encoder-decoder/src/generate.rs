use burn::tensor::{Device, Int, Tensor, TensorData, TensorReadError, s};
use generation::{
    ConfigError, GenerationConfig, Hypothesis, Prompt, Search, StepModel, TokenBatch,
};

use crate::{Decoder, Encoder, Memory, VisionEncoderDecoder};

/// Why generation failed.
pub type GenerateError = generation::GenerateError<TensorReadError>;

/// A decoder's state on its device.
#[derive(Clone, Debug)]
pub struct DecodingState<S> {
    decoder: S,
    device: Device,
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
        let longest = longest(prompts, config);
        let state = self.begin(memory, row_images, prompts.len(), longest)?;
        match state {
            Some(state) => generation::generate(self, state, prompts, config),
            None => Ok(Vec::new()),
        }
    }

    /// Continues prompts with searches of one's own, `searches[i]` the one behind `prompts[i]`, which
    /// looks at image `row_images[i]`; see [`generation::generate_with`].
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
        searches: Vec<Box<dyn Search>>,
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<Hypothesis>>, GenerateError> {
        let longest = longest(prompts, config);
        let state = self.begin(memory, row_images, prompts.len(), longest)?;
        match state {
            Some(state) => generation::generate_with(self, state, prompts, searches, config),
            None => Ok(Vec::new()),
        }
    }

    /// The log-probabilities of given texts, `texts[i]` behind `prompts[i]` and looking at image
    /// `row_images[i]`; see [`generation::score`].
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
        config: &GenerationConfig,
    ) -> Result<Vec<Hypothesis>, GenerateError> {
        let longest = prompts
            .iter()
            .zip(texts)
            .map(|(p, t)| p.tokens.len() + t.len());
        let longest = longest.max().unwrap_or(0);
        let state = self.begin(memory, row_images, prompts.len(), longest)?;
        match state {
            Some(state) => generation::score(self, state, prompts, texts, config),
            None => Ok(Vec::new()),
        }
    }

    /// Checks that the decoder can write texts of `longest` tokens.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it has no positions for them.
    pub fn validate_length(&self, longest: usize) -> Result<(), ConfigError> {
        // The last token is written but never read.
        match self.decoder.max_positions().map(|positions| positions + 1) {
            Some(possible) if longest > possible => Err(ConfigError::Invalid(format!(
                "the longest text is {longest} tokens (max_length or max_new_tokens), but the model can write {possible}"
            ))),
            _ => Ok(()),
        }
    }

    /// A fresh state for texts of up to `longest` tokens, or none if there is nothing to write.
    fn begin(
        &self,
        memory: Memory,
        row_images: &[usize],
        prompts: usize,
        longest: usize,
    ) -> Result<Option<DecodingState<D::State>>, GenerateError> {
        assert_eq!(row_images.len(), prompts, "one image per prompt");
        if prompts == 0 {
            return Ok(None);
        }
        self.validate_length(longest)?;
        let device = memory.hidden.device();
        Ok(Some(DecodingState {
            decoder: self.decoder.start(memory, row_images),
            device,
        }))
    }
}

/// The longest text that the prompts of a batch may become.
fn longest(prompts: &[Prompt], config: &GenerationConfig) -> usize {
    let longest = prompts.iter().map(|p| config.longest(p.tokens.len())).max();
    longest.unwrap_or(0)
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
        self.decoder.logits(last).try_into_vec_as::<f32>()
    }

    fn select_rows(
        &self,
        state: &mut Self::State,
        parents: &[usize],
    ) -> Result<(), TensorReadError> {
        self.decoder.select_rows(&mut state.decoder, parents);
        Ok(())
    }
}
