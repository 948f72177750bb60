use std::ops::ControlFlow;
use std::sync::Arc;

use crate::generate::run;
use crate::processor::Allowed;
use crate::search::{ForcedSearch, strategy};
use crate::validate::{
    validate, validate_model, validate_scoring, validate_searches, validate_texts,
};
use crate::{
    Event, GenerateError, GenerationConfig, Hypothesis, LogitsProcessor, Observer, Prompt, Search,
    StepModel, StoppingCriterion, Vocabulary,
};

/// One call of the generation loop: the options, and what is no option because it is code or text.
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
    pub(crate) allowed: Option<Arc<Allowed>>,
    pub(crate) stopping: Vec<Arc<dyn StoppingCriterion>>,
    pub(crate) vocabulary: Option<Arc<Vocabulary>>,
    pub(crate) alternatives: usize,
    pub(crate) observer: Option<Box<Observer<'a>>>,
    searches: Option<Vec<Box<dyn Search>>>,
}

impl<'a> Generation<'a> {
    /// With these options.
    pub fn new(config: GenerationConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Adds a processor, behind those of the options and before those of sampling, as in Hugging
    /// Face.
    pub fn with_processor(mut self, processor: impl LogitsProcessor + 'static) -> Self {
        self.processors.push(Arc::new(processor));
        self
    }

    /// Asks a function which tokens may come behind the tokens of a row; it is also given the
    /// prompt's number. Hugging Face: `prefix_allowed_tokens_fn`.
    pub fn with_allowed_tokens(
        mut self,
        allowed: impl Fn(usize, &[u32]) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        self.allowed = Some(Arc::new(allowed));
        self
    }

    /// Adds a rule that completes texts.
    pub fn with_stopping_criterion(mut self, rule: impl StoppingCriterion + 'static) -> Self {
        self.stopping.push(Arc::new(rule));
        self
    }

    /// The text of tokens, which stop strings and phrases of words need.
    pub fn with_vocabulary(mut self, vocabulary: Arc<Vocabulary>) -> Self {
        self.vocabulary = Some(vocabulary);
        self
    }

    /// Returns with every token so many of the most likely ones in its place.
    pub fn with_alternatives(mut self, count: usize) -> Self {
        self.alternatives = count;
        self
    }

    /// Tells a function what happens, which may also end it.
    pub fn with_observer(
        mut self,
        observer: impl FnMut(Event<'_>) -> ControlFlow<()> + 'a,
    ) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Runs searches of one's own, `searches[i]` the one behind prompt `i`, which begins with one
    /// row, the prompt. Processors and stopping criteria are those of the options; the rest is the
    /// searches' own affair.
    pub fn with_searches(mut self, searches: Vec<Box<dyn Search>>) -> Self {
        self.searches = Some(searches);
        self
    }

    /// The options.
    pub fn config(&self) -> &GenerationConfig {
        &self.config
    }

    /// Checks everything that can be checked without a model.
    ///
    /// # Errors
    /// [`ConfigError`](crate::ConfigError), naming the option.
    pub fn validate(
        &self,
        prompts: &[Prompt],
        vocab_size: usize,
    ) -> Result<(), crate::ConfigError> {
        validate(self, prompts, vocab_size)?;
        match &self.searches {
            Some(searches) => validate_searches(searches, prompts),
            None => Ok(()),
        }
    }

    /// Continues prompts until each search is over.
    ///
    /// `state` must have one row per prompt, in their order, that has been fed nothing yet. Returns
    /// for each prompt up to `num_return_sequences` hypotheses, best first (samples by number). Rows
    /// of finished prompts leave the batch at once.
    ///
    /// # Errors
    /// [`GenerateError`]: contradictory options before any work, or what the model did wrong.
    ///
    /// # Panics
    /// If a search returns other parents than [`Search::advance`] asks for.
    pub fn run<M: StepModel>(
        mut self,
        model: &M,
        state: M::State,
        prompts: &[Prompt],
    ) -> Result<Vec<Vec<Hypothesis>>, GenerateError<M::Error>>
    where
        M::Error: 'static,
    {
        self.validate(prompts, model.vocab_size())?;
        validate_model(&self.config, model, &state)?;
        let vocabulary = self.vocabulary.as_ref();
        let searches = self.searches.take().unwrap_or_else(|| {
            let prompts = prompts.iter();
            let search = |prompt| strategy(&self.config, prompt, vocabulary);
            prompts.map(search).collect()
        });
        run(self, model, state, prompts, searches)
    }

    /// The log-probabilities of given texts: `texts[i]` behind `prompts[i]`, token by token, with the
    /// processors that the options ask for and normalised after them, as greedy search has them.
    /// A result's score is the sum of them, divided as those of generated texts.
    ///
    /// `state` is as for [`run`](Self::run).
    ///
    /// # Errors
    /// [`GenerateError`], likewise; a text that is empty or has a token beyond the vocabulary is one.
    pub fn score<M: StepModel>(
        self,
        model: &M,
        state: M::State,
        prompts: &[Prompt],
        texts: &[Vec<u32>],
    ) -> Result<Vec<Hypothesis>, GenerateError<M::Error>>
    where
        M::Error: 'static,
    {
        validate_texts(texts, prompts, model.vocab_size())?;
        validate_scoring(&self, prompts, model.vocab_size())?;
        validate_model(&self.config, model, &state)?;
        let searches = prompts.iter().zip(texts).map(|(prompt, text)| {
            let search = ForcedSearch::new(&self.config, prompt, text.clone());
            Box::new(search) as Box<dyn Search>
        });
        let searches = searches.collect();
        let results = run(self, model, state, prompts, searches)?;
        Ok(results.into_iter().flatten().collect())
    }
}

/// Continues prompts until each search is over: [`Generation::run`] with options alone.
///
/// # Errors
/// [`GenerateError`], likewise.
pub fn generate<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    config: &GenerationConfig,
) -> Result<Vec<Vec<Hypothesis>>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    Generation::new(config.clone()).run(model, state, prompts)
}

/// The log-probabilities of given texts: [`Generation::score`] with options alone.
///
/// # Errors
/// [`GenerateError`], likewise.
pub fn score<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    texts: &[Vec<u32>],
    config: &GenerationConfig,
) -> Result<Vec<Hypothesis>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    Generation::new(config.clone()).score(model, state, prompts, texts)
}
