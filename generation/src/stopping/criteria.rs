use std::sync::Arc;

use super::{EndToken, MaxLength, StopStrings};
use crate::{GenerationConfig, StoppingCriterion, Vocabulary};

/// The rules that complete the texts of one prompt.
#[derive(Clone)]
pub struct StoppingCriteria {
    list: Vec<Arc<dyn StoppingCriterion>>,
    is_over: bool,
}

impl StoppingCriteria {
    /// These rules.
    pub fn new(list: Vec<Arc<dyn StoppingCriterion>>) -> Self {
        Self {
            list,
            is_over: false,
        }
    }

    /// The rules that a configuration asks for, behind a prompt of this length, and others.
    ///
    /// The time limit is none of them: it begins before there are prompts.
    pub(crate) fn of(
        config: &GenerationConfig,
        prompt_length: usize,
        vocabulary: Option<&Arc<Vocabulary>>,
        others: &[Arc<dyn StoppingCriterion>],
    ) -> Self {
        let mut list: Vec<Arc<dyn StoppingCriterion>> = vec![
            Arc::new(MaxLength::new(config.longest(prompt_length))),
            Arc::new(EndToken::new(config.eos_token_id.clone())),
        ];
        if let Some(vocabulary) = vocabulary.filter(|_| !config.stop_strings.is_empty()) {
            let strings = config.stop_strings.clone();
            list.push(Arc::new(StopStrings::new(strings, vocabulary.clone())));
        }
        list.extend(others.iter().cloned());
        Self::new(list)
    }

    /// Whether a text is complete with its last token.
    pub fn is_complete(&self, tokens: &[u32]) -> bool {
        self.is_over || self.list.iter().any(|one| one.is_complete(tokens))
    }

    /// Asks whether all is over, once for all texts of a step.
    pub(crate) fn begin_step(&mut self) {
        self.is_over = self.is_over || self.list.iter().any(|one| one.is_over());
    }
}
