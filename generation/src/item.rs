//! A prompt under way: what it is continued with, and one step of it.

use std::sync::Arc;
use std::time::Duration;

use crate::numeric::{is_usable, log_softmax, map_all};
use crate::processor::{AllowedTokens, Extra, ForbiddenPhrase, processors_with};
use crate::search::Step;
use crate::stopping::{MaxTime, StoppingCriteria};
use crate::{Generation, LogitsProcessor, Phrase, Prompt, Search};

/// A prompt that is still being continued.
pub(crate) struct Item<'a> {
    pub(crate) number: usize,
    /// Tokens of a prompt longer than the shortest that the model has not been fed. They are fed
    /// step by step, so that all rows always have the same length.
    waiting: &'a [u32],
    pub(crate) search: Box<dyn Search>,
    processors: Vec<Arc<dyn LogitsProcessor>>,
    stopping: StoppingCriteria,
}

/// What a step has brought for the rows of one item.
pub(crate) struct Brought<'a> {
    /// `[rows, vocab_size]`
    pub(crate) scores: &'a mut [f32],
    /// `[rows, width]`
    pub(crate) hidden_states: Option<&'a [f32]>,
    pub(crate) vocab_size: usize,
    /// How many alternatives of each row are asked for.
    pub(crate) alternatives: usize,
}

impl Item<'_> {
    /// Whether anything has been generated, so that there is something to show.
    pub(crate) fn has_begun(&self) -> bool {
        let rows = self.search.rows();
        rows.iter().any(|row| !row.token_log_probs.is_empty())
    }

    /// Chooses what comes next from the scores of this item's rows and appends it to `tokens`.
    /// Returns which of its rows each new row continues, or the first row whose scores are unusable.
    pub(crate) fn advance(
        &mut self,
        brought: Brought<'_>,
        tokens: &mut Vec<u32>,
    ) -> Result<Vec<usize>, usize> {
        if let Some((next, waiting)) = self.waiting.split_first() {
            tokens.push(*next);
            self.waiting = waiting;
            return Ok(vec![0]);
        }
        let Brought {
            scores, vocab_size, ..
        } = brought;
        let are_logits = !self.search.processes_log_probs();
        let (now, later) = match self.search.runs_processors() {
            true => (&[][..], self.processors.as_slice()),
            false => (self.processors.as_slice(), &[][..]),
        };
        let numbers = scores.len();
        let rows = scores.chunks_mut(vocab_size).collect();
        let usable = map_all(numbers, rows, |scores| match are_logits {
            true => is_usable(scores),
            false => log_softmax(scores),
        });
        if let Some(number) = usable.iter().position(|usable| !usable) {
            return Err(number);
        }
        let rows = self.search.rows().iter().zip(scores.chunks_mut(vocab_size));
        for (row, scores) in rows {
            for processor in now {
                processor.process(&row.tokens, scores);
            }
        }
        self.stopping.begin_step();
        let old_rows = self.search.rows().len();
        let step = Step::new(scores, vocab_size, &self.stopping)
            .with_processors(later)
            .with_alternatives(brought.alternatives, are_logits)
            .with_hidden_states(brought.hidden_states);
        let parents = self.search.advance(step);
        if !parents.is_empty() {
            let rows = self.search.rows();
            assert!(
                parents.len() == rows.len() && parents.iter().all(|parent| *parent < old_rows),
                "a search with {old_rows} rows says that its {} new ones continue rows {parents:?}",
                rows.len()
            );
            tokens.extend(rows.iter().filter_map(|row| row.tokens.last()));
        }
        Ok(parents)
    }
}

/// What every prompt is continued with.
pub(crate) fn items<'p>(
    generation: &mut Generation<'_>,
    prompts: &'p [Prompt],
    searches: Vec<Box<dyn Search>>,
    first: usize,
) -> Vec<Item<'p>> {
    let config = &generation.config;
    let limit = config.max_time.map(Duration::try_from_secs_f64);
    if let Some(Ok(limit)) = limit {
        generation.stopping.push(Arc::new(MaxTime::new(limit)));
    }
    let mut forbidden = ForbiddenPhrases::default();
    let prompts = prompts.iter().zip(searches).enumerate();
    prompts
        .map(|(number, (prompt, search))| {
            let stopping = StoppingCriteria::of(
                &generation.config,
                prompt.tokens.len(),
                generation.vocabulary.as_ref(),
                &generation.stopping,
            );
            let extra = Extra {
                forbidden: forbidden.of(prompt, &stopping, generation),
                allowed: generation
                    .allowed
                    .clone()
                    .map(|allowed| AllowedTokens::shared(number, allowed)),
                custom: generation.processors.clone(),
            };
            Item {
                number,
                waiting: &prompt.tokens[first..],
                search,
                processors: processors_with(&generation.config, prompt, extra),
                stopping,
            }
        })
        .collect()
}

/// Processors of forbidden phrases, each made once for all prompts: making one looks through the
/// vocabulary.
#[derive(Default)]
struct ForbiddenPhrases(Vec<(Phrase, usize, Arc<ForbiddenPhrase>)>);

impl ForbiddenPhrases {
    fn of(
        &mut self,
        prompt: &Prompt,
        stopping: &StoppingCriteria,
        generation: &Generation<'_>,
    ) -> Vec<Arc<dyn LogitsProcessor>> {
        let config = &generation.config;
        // Where the last token is forced, a word has to be over before it.
        let forced = usize::from(!config.forced_eos_token_id.is_empty());
        let longest = config.longest(prompt.tokens.len()).saturating_sub(forced);
        let one = |phrase: &Phrase| {
            let is_it =
                |(known, length, _): &&(Phrase, usize, _)| (known, *length) == (phrase, longest);
            if let Some((_, _, known)) = self.0.iter().find(is_it) {
                return known.clone() as Arc<dyn LogitsProcessor>;
            }
            let vocabulary = generation.vocabulary.clone().unwrap_or_default();
            let processor = Arc::new(ForbiddenPhrase::new(
                phrase,
                vocabulary,
                longest,
                stopping.clone(),
            ));
            self.0.push((phrase.clone(), longest, processor.clone()));
            processor
        };
        prompt.forbidden.iter().map(one).collect()
    }
}
