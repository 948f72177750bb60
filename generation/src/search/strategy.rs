use std::sync::Arc;

use super::Search;
use super::beam::BeamSearch;
use super::constrained_beam::ConstrainedBeamSearch;
use super::contrastive::ContrastiveSearch;
use super::diverse_beam::DiverseBeamSearch;
use super::greedy::GreedySearch;
use super::sample::SampleSearch;
use crate::{GenerationConfig, Prompt, Vocabulary};

/// The search that a configuration asks for, for one prompt.
pub(crate) fn strategy(
    config: &GenerationConfig,
    prompt: &Prompt,
    vocabulary: Option<&Arc<Vocabulary>>,
) -> Box<dyn Search> {
    if !(config.force_words_ids.is_empty() && prompt.required.is_empty()) {
        let vocabulary = vocabulary.cloned().unwrap_or_default();
        Box::new(ConstrainedBeamSearch::new(config, prompt, vocabulary))
    } else if config.num_beams > 1 && config.num_beam_groups > 1 {
        Box::new(DiverseBeamSearch::new(config, prompt))
    } else if config.num_beams > 1 {
        Box::new(BeamSearch::new(config, prompt))
    } else if config.do_sample {
        Box::new(SampleSearch::new(config, prompt))
    } else if config.is_contrastive() {
        Box::new(ContrastiveSearch::new(config, prompt))
    } else {
        Box::new(GreedySearch::new(config, prompt))
    }
}
