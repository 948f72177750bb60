use std::sync::Arc;

use super::*;
use crate::config::different;
use crate::{GenerationConfig, Prompt};

/// Processors that a configuration can't ask for.
#[derive(Default)]
pub(crate) struct Extra {
    /// Those of the prompt's forbidden phrases.
    pub(crate) forbidden: Vec<Arc<dyn LogitsProcessor>>,
    pub(crate) allowed_tokens: Option<Arc<AllowedTokensFn>>,
    pub(crate) custom: Vec<Arc<dyn LogitsProcessor>>,
}

/// The processors of long lists, which prompts with the same configuration share: to make them takes time in
/// proportion to the list.
#[derive(Default)]
pub(crate) struct Lists<'a>(Vec<(&'a GenerationConfig, OfLists)>);

#[derive(Clone, Default)]
struct OfLists {
    sequence_bias: Option<Arc<SequenceBias>>,
    bad_words: Option<Arc<BadWords>>,
}

impl<'a> Lists<'a> {
    fn of(&mut self, config: &'a GenerationConfig) -> OfLists {
        let known = self
            .0
            .iter()
            .rev()
            .find(|(known, _)| std::ptr::eq(*known, config));
        if let Some((_, lists)) = known {
            return lists.clone();
        }
        let (biases, words) = (&config.sequence_bias, &config.bad_words_ids);
        let lists = OfLists {
            sequence_bias: (!biases.is_empty()).then(|| Arc::new(SequenceBias::new(biases))),
            bad_words: (!words.is_empty())
                .then(|| Arc::new(BadWords::new(words, &config.eos_token_id))),
        };
        // Without lists there is nothing to share, and a batch may have many configurations.
        if !(biases.is_empty() && words.is_empty()) {
            self.0.push((config, lists.clone()));
        }
        lists
    }
}

/// The processors that a configuration asks for, for one prompt, in Hugging Face's order. Of the
/// prompt, only `tokens` and `forced_bos_token_id` count.
pub fn processors(config: &GenerationConfig, prompt: &Prompt) -> Vec<Arc<dyn LogitsProcessor>> {
    processors_with(config, prompt, Extra::default(), &mut Lists::default())
}

/// The processors of [`processors`] and extra ones, which are placed where Hugging Face has them.
pub(crate) fn processors_with<'a>(
    config: &'a GenerationConfig,
    prompt: &Prompt,
    extra: Extra,
    lists: &mut Lists<'a>,
) -> Vec<Arc<dyn LogitsProcessor>> {
    let mut list: Vec<Arc<dyn LogitsProcessor>> = Vec::new();
    let length = prompt.tokens.len();
    let forced_bos_token_id = prompt.forced_bos_token_id.or(config.forced_bos_token_id);
    let OfLists {
        sequence_bias,
        bad_words,
    } = lists.of(config);
    if let Some(biases) = sequence_bias {
        list.push(biases);
    }
    if config.repetition_penalty != 1.0 {
        let penalty = config.repetition_penalty as f32;
        list.push(Arc::new(RepetitionPenalty::new(penalty)));
    }
    if config.no_repeat_ngram_size > 0 {
        list.push(Arc::new(NoRepeatNGram::new(config.no_repeat_ngram_size)));
    }
    if let Some(words) = bad_words {
        list.push(words);
    }
    list.extend(extra.forbidden);
    let min_length = config.shortest(length);
    if min_length > 0 {
        list.push(Arc::new(MinLength::new(min_length, &config.eos_token_id)));
    }
    if let Some(allowed) = extra.allowed_tokens {
        list.push(Arc::new(AllowedTokens::new(allowed)));
    }
    if let Some(token) = forced_bos_token_id {
        list.push(Arc::new(ForcedBosToken::new(token)));
    }
    if !config.forced_eos_token_id.is_empty() {
        let longest = config.longest(length);
        let tokens = &config.forced_eos_token_id;
        list.push(Arc::new(ForcedEosToken::new(longest, tokens)));
    }
    if let Some((start, factor)) = config.exponential_decay_length_penalty {
        let start = start.saturating_add(i64::try_from(length).unwrap_or(i64::MAX));
        let decay = ExponentialDecay::new(start, factor, &config.eos_token_id);
        list.push(Arc::new(decay));
    }
    if !config.suppress_tokens.is_empty() {
        list.push(Arc::new(SuppressTokens::new(&config.suppress_tokens)));
    }
    if !config.begin_suppress_tokens.is_empty() {
        // A forced first token can't be suppressed, so the next one counts as the first.
        let is_forced = length == 1 && forced_bos_token_id.is_some();
        let begin = length + usize::from(is_forced);
        let tokens = &config.begin_suppress_tokens;
        list.push(Arc::new(SuppressTokens::at_begin(tokens, begin)));
    }
    list.extend(extra.custom);
    if config.do_sample {
        list.extend(warpers(config));
    }
    if config.renormalize_logits {
        list.push(Arc::new(LogNormalization));
    }
    list
}

/// The processors of sampling, Hugging Face's warpers, in its order.
fn warpers(config: &GenerationConfig) -> Vec<Arc<dyn LogitsProcessor>> {
    // With beams at least one token that does not end the text must be left.
    let keep = match config.num_beams {
        1 => 1,
        _ => different(&config.eos_token_id).len().max(1) + 1,
    };
    let mut list: Vec<Arc<dyn LogitsProcessor>> = Vec::new();
    if config.temperature != 1.0 {
        list.push(Arc::new(Temperature::new(config.temperature as f32)));
    }
    if let Some(top_h) = config.top_h {
        list.push(Arc::new(TopH::new(top_h)));
    }
    if config.top_k > 0 {
        list.push(Arc::new(TopK::new(config.top_k.max(keep))));
    }
    if config.top_p < 1.0 {
        list.push(Arc::new(TopP::new(config.top_p, keep)));
    }
    if let Some(min_p) = config.min_p {
        list.push(Arc::new(MinP::new(min_p, keep)));
    }
    if config.typical_p < 1.0 {
        list.push(Arc::new(TypicalP::new(config.typical_p, keep)));
    }
    if 0.0 < config.epsilon_cutoff && config.epsilon_cutoff < 1.0 {
        list.push(Arc::new(EpsilonCutoff::new(config.epsilon_cutoff, keep)));
    }
    if 0.0 < config.eta_cutoff && config.eta_cutoff < 1.0 {
        list.push(Arc::new(EtaCutoff::new(config.eta_cutoff, keep)));
    }
    list
}
