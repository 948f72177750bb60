//! The options of one prompt.

use std::sync::Arc;

use crate::processor::AllowedTokensFn;
use crate::{Generation, GenerationConfig, LogitsProcessor, Prompt, StoppingCriterion, Vocabulary};

/// A prompt's own options, and those of the call where it has none.
pub(crate) struct Options<'a> {
    pub(crate) config: &'a GenerationConfig,
    pub(crate) processors: &'a [Arc<dyn LogitsProcessor>],
    pub(crate) stopping_criteria: &'a [Arc<dyn StoppingCriterion>],
    pub(crate) allowed_tokens: Option<Arc<AllowedTokensFn>>,
    /// How many alternatives come with each token.
    pub(crate) alternatives: usize,
    pub(crate) vocabulary: Option<&'a Arc<Vocabulary>>,
}

impl<'a> Options<'a> {
    /// The options of the prompt with this index.
    pub(crate) fn new(call: &'a Generation<'_>, index: usize, prompt: &'a Prompt) -> Self {
        let of_call = || {
            let allowed = call.allowed_tokens.clone()?;
            let of_prompt = move |tokens: &[u32]| allowed(index, tokens);
            Some(Arc::new(of_prompt) as Arc<AllowedTokensFn>)
        };
        Self {
            config: call.config_of(prompt),
            processors: own_or(&prompt.processors, &call.processors),
            stopping_criteria: own_or(&prompt.stopping_criteria, &call.stopping_criteria),
            allowed_tokens: prompt.allowed_tokens.clone().or_else(of_call),
            alternatives: prompt.alternatives.unwrap_or(call.alternatives),
            vocabulary: call.vocabulary.as_ref(),
        }
    }
}

fn own_or<'a, T>(own: &'a [T], of_call: &'a [T]) -> &'a [T] {
    match own {
        [] => of_call,
        own => own,
    }
}
