use std::sync::Arc;
use std::time::Duration;

use super::{EndToken, MaxLength, MaxTime, StopStrings};
use crate::StoppingCriterion;
use crate::options::Options;

/// The stopping criteria of one prompt.
#[derive(Clone)]
pub(crate) struct StoppingCriteria {
    list: Vec<Arc<dyn StoppingCriterion>>,
    is_over: bool,
}

impl StoppingCriteria {
    /// A text is complete if any of these says so.
    pub(crate) fn new(list: Vec<Arc<dyn StoppingCriterion>>) -> Self {
        Self {
            list,
            is_over: false,
        }
    }

    /// The criteria that the options of a prompt of this length ask for. The time limit counts from
    /// now.
    pub(crate) fn of_prompt(options: &Options<'_>, prompt_length: usize) -> Self {
        let config = options.config;
        let mut list: Vec<Arc<dyn StoppingCriterion>> = vec![
            Arc::new(MaxLength::new(config.longest(prompt_length))),
            Arc::new(EndToken::new(&config.eos_token_id)),
        ];
        let strings = &config.stop_strings;
        if let Some(vocabulary) = options.vocabulary.filter(|_| !strings.is_empty()) {
            let rule = StopStrings::new(strings.clone(), vocabulary.clone());
            list.push(Arc::new(rule));
        }
        list.extend(options.stopping_criteria.iter().cloned());
        // A limit beyond the range of a duration is no limit.
        let limit = config.max_time.map(|seconds| seconds.max(0.0));
        let limit = limit.map(Duration::try_from_secs_f64);
        if let Some(Ok(limit)) = limit {
            list.push(Arc::new(MaxTime::new(limit)));
        }
        Self::new(list)
    }

    /// Whether a text is complete with its last token.
    pub(crate) fn is_complete(&self, tokens: &[u32]) -> bool {
        self.is_over || self.list.iter().any(|one| one.is_complete(tokens))
    }

    /// Asks, once for all texts of a step, whether they all end with it.
    pub(crate) fn begin_step(&mut self) {
        self.is_over = self.is_over || self.list.iter().any(|one| one.is_over());
    }
}
