use std::ops::ControlFlow;
use std::sync::Arc;

use crate::decoding::Decoding;
use crate::search::{ForcedSearch, Search, strategy};
use crate::validate::{validate, validate_scoring, validate_searches, validate_shortlist};
use crate::{
    ConfigError, Event, GenerateError, GenerationConfig, Hypothesis, LogitsProcessor, Observer,
    Prompt, PromptResult, StepModel, StoppingCriterion, Vocabulary,
};

/// A function of a prompt's index and the tokens of a row: the tokens that may come next.
type AllowedTokensOfPrompt = dyn Fn(usize, &[u32]) -> Vec<u32> + Send + Sync;

/// One call of the generation loop: its configuration, and everything that a configuration can't
/// hold because it is code or text.
///
/// Each [`Prompt`] can have options of its own in place of these.
///
/// ```
/// use std::ops::ControlFlow;
/// use generation::{Event, Generation, GenerationConfig, LogitsProcessor};
///
/// /// Makes even tokens more likely.
/// struct Even;
///
/// impl LogitsProcessor for Even {
///     fn process(&self, _: &[u32], scores: &mut [f32]) {
///         scores.iter_mut().step_by(2).for_each(|score| *score += 1.0);
///     }
/// }
///
/// let generation = Generation::new(GenerationConfig::default())
///     .with_processor(Even)
///     .with_allowed_tokens(|_prompt, tokens| vec![tokens.len() as u32, 9])
///     .with_observer(|event| {
///         if let Event::Draft { prompt, draft } = event {
///             println!("{prompt}: {:?}", &draft.hypothesis.tokens[..draft.settled]);
///         }
///         ControlFlow::Continue(())
///     });
/// # let _ = generation;
/// // generation.run(&model, state, &prompts)
/// ```
#[derive(Default)]
pub struct Generation<'a> {
    pub(crate) config: GenerationConfig,
    pub(crate) processors: Vec<Arc<dyn LogitsProcessor>>,
    pub(crate) allowed_tokens: Option<Arc<AllowedTokensOfPrompt>>,
    pub(crate) stopping_criteria: Vec<Arc<dyn StoppingCriterion>>,
    pub(crate) vocabulary: Option<Arc<Vocabulary>>,
    pub(crate) alternatives: usize,
    pub(crate) observer: Option<Box<Observer<'a>>>,
    searches: Option<Vec<Box<dyn Search>>>,
}

impl<'a> Generation<'a> {
    /// A call with this configuration and nothing else.
    pub fn new(config: GenerationConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Adds a processor. It runs after those of the configuration and before those of sampling, as
    /// in Hugging Face.
    pub fn with_processor(mut self, processor: impl LogitsProcessor + 'static) -> Self {
        self.processors.push(Arc::new(processor));
        self
    }

    /// Sets the function that is given the index of a prompt and the tokens of a row, prompt
    /// included, and returns the tokens that may come next. Hugging Face:
    /// `prefix_allowed_tokens_fn`.
    pub fn with_allowed_tokens(
        mut self,
        allowed: impl Fn(usize, &[u32]) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        self.allowed_tokens = Some(Arc::new(allowed));
        self
    }

    /// Adds a stopping criterion.
    pub fn with_stopping_criterion(mut self, rule: impl StoppingCriterion + 'static) -> Self {
        self.stopping_criteria.push(Arc::new(rule));
        self
    }

    /// Sets the text of tokens, which stop strings and phrases of words need.
    pub fn with_vocabulary(mut self, vocabulary: Arc<Vocabulary>) -> Self {
        self.vocabulary = Some(vocabulary);
        self
    }

    /// Returns this many of the most likely tokens with each token.
    pub fn with_alternatives(mut self, count: usize) -> Self {
        self.alternatives = count;
        self
    }

    /// Sets the function that is told of every event, and can end the generation.
    pub fn with_observer(
        mut self,
        observer: impl FnMut(Event<'_>) -> ControlFlow<()> + Send + 'a,
    ) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Runs custom searches in place of the configuration's strategy: `searches[i]` continues
    /// `prompts[i]` and begins with one row, the tokens of that prompt. Processors and stopping
    /// criteria still come from the options.
    pub fn with_searches(mut self, searches: Vec<Box<dyn Search>>) -> Self {
        self.searches = Some(searches);
        self
    }

    /// The configuration of the call.
    pub fn config(&self) -> &GenerationConfig {
        &self.config
    }

    /// The configuration that a prompt is continued with: its own, or the call's.
    pub fn config_of<'p>(&'p self, prompt: &'p Prompt) -> &'p GenerationConfig {
        prompt.config.as_deref().unwrap_or(&self.config)
    }

    /// Checks everything that can be checked without a model.
    ///
    /// # Errors
    /// [`ConfigError`], naming the option; [`ConfigError::Prompt`] if it concerns one of several
    /// prompts.
    pub fn validate(&self, prompts: &[Prompt], vocab_size: usize) -> Result<(), ConfigError> {
        validate(self, prompts, vocab_size)?;
        match &self.searches {
            Some(searches) => validate_searches(searches, prompts),
            None => Ok(()),
        }
    }

    /// Continues prompts until all their searches are over. Returns a result for each prompt, in
    /// their order.
    ///
    /// `state` has one row per prompt, in their order, that the model has been fed nothing of. A
    /// prompt's rows leave the batch as soon as it is finished or has failed. Its result does not
    /// depend on the other prompts, as long as the model's rows do not depend on each other.
    ///
    /// # Errors
    /// [`GenerateError`]: options that contradict each other or the prompts, before any work; a
    /// model that fails, returns the wrong number of logits, or has no hidden states for contrastive
    /// search.
    ///
    /// # Panics
    /// If a custom search returns parents that break the contract of [`Search::advance`].
    pub fn run<M: StepModel>(
        self,
        model: &M,
        state: M::State,
        prompts: &[Prompt],
    ) -> Result<Vec<PromptResult>, GenerateError<M::Error>> {
        let (generation, searches) = self.prepare(model, &state, prompts)?;
        generation.decode(model, state, prompts, searches)
    }

    /// Validates everything, and takes or makes the search of each prompt.
    pub(crate) fn prepare<M: StepModel>(
        mut self,
        model: &M,
        state: &M::State,
        prompts: &[Prompt],
    ) -> Result<(Self, Vec<Box<dyn Search>>), ConfigError> {
        self.validate(prompts, model.vocab_size())?;
        validate_shortlist(&self, prompts, model, state)?;
        let searches = self.searches.take().unwrap_or_else(|| {
            let search =
                |prompt| strategy(self.config_of(prompt), prompt, self.vocabulary.as_ref());
            prompts.iter().map(search).collect()
        });
        Ok((self, searches))
    }

    /// The log-probabilities of given texts: `texts[i]` after `prompts[i]`, token by token. Returns
    /// a result for each prompt, in their order.
    ///
    /// The processors of the options change the logits, which are then normalised, as in greedy
    /// search. A hypothesis's score is the sum of its log-probabilities, divided like that of a
    /// generated text. `state` has one row per prompt that the model has been fed nothing of.
    ///
    /// # Errors
    /// [`GenerateError`]: not one text per prompt, a text that is empty or has a token outside the
    /// vocabulary, or options that contradict each other, before any work; a model that fails or
    /// returns the wrong number of logits.
    pub fn score<M: StepModel>(
        self,
        model: &M,
        state: M::State,
        prompts: &[Prompt],
        texts: &[Vec<u32>],
    ) -> Result<Vec<PromptResult<Hypothesis>>, GenerateError<M::Error>> {
        validate_scoring(&self, prompts, texts, model.vocab_size())?;
        validate_shortlist(&self, prompts, model, &state)?;
        let searches = prompts.iter().zip(texts).map(|(prompt, text)| {
            let search = ForcedSearch::new(self.config_of(prompt), prompt, text.clone());
            Box::new(search) as Box<dyn Search>
        });
        let searches = searches.collect();
        let results = self.decode(model, state, prompts, searches)?;
        // Each search has one text, the given one.
        let only = |mut found: Vec<Hypothesis>| found.swap_remove(0);
        let scored = results.into_iter().map(|result| result.map(only));
        Ok(scored.collect())
    }

    /// Continues prompts until all are over. `searches[i]` is that of `prompts[i]`.
    fn decode<M: StepModel>(
        self,
        model: &M,
        state: M::State,
        prompts: &[Prompt],
        searches: Vec<Box<dyn Search>>,
    ) -> Result<Vec<PromptResult>, GenerateError<M::Error>> {
        let mut results = vec![Ok(Vec::new()); prompts.len()];
        let mut decoding = Decoding::of_one_call(model);
        decoding.begin(self, state, prompts, searches)?;
        while !decoding.is_empty() {
            for ended in decoding.step()? {
                results[ended.prompt] = ended.result;
            }
        }
        Ok(results)
    }
}

/// Continues prompts until all their searches are over: [`Generation::run`] with a configuration
/// alone. Returns a result for each prompt, in their order.
///
/// # Errors
/// [`GenerateError`]: options that contradict each other or the prompts, before any work; a model
/// that fails, returns the wrong number of logits, or has no hidden states for contrastive search.
pub fn generate<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    config: &GenerationConfig,
) -> Result<Vec<PromptResult>, GenerateError<M::Error>> {
    Generation::new(config.clone()).run(model, state, prompts)
}

/// The log-probabilities of given texts: [`Generation::score`] with a configuration alone. Returns a
/// result for each prompt, in their order.
///
/// # Errors
/// [`GenerateError`]: not one text per prompt, a text that is empty or has a token outside the
/// vocabulary, or options that contradict each other, before any work; a model that fails or returns
/// the wrong number of logits.
pub fn score<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    texts: &[Vec<u32>],
    config: &GenerationConfig,
) -> Result<Vec<PromptResult<Hypothesis>>, GenerateError<M::Error>> {
    Generation::new(config.clone()).score(model, state, prompts, texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_and_its_prompts_can_move_to_another_thread() {
        fn check<T: Send>() {}
        check::<Generation<'static>>();
        check::<Prompt>();
        check::<Box<dyn Search>>();
    }
}
