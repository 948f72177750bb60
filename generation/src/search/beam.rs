use super::finished::Finished;
use super::{Continuation, Draft, Search, Step};
use crate::config::different;
use crate::numeric::{Best, possible};
use crate::random::RowRandom;
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Beam search: follows the `num_beams` most likely hypotheses and returns the best finished ones.
///
/// The semantics are those of transformers 5 (`GenerationMixin._beam_search`), with one difference
/// that does not change the result. There, `num_beams` equal rows start, all but one with a score of
/// -10⁹; here, one row starts and branches as soon as it has several continuations, so steps with a
/// forced token cost one row. If fewer than `num_return_sequences` texts are possible, fewer are
/// returned; there, the rest are repeats with scores of -10⁹.
///
/// With `do_sample`, the continuations are sampled without replacement, by the probabilities of the
/// resulting texts.
#[derive(Debug)]
pub(super) struct BeamSearch {
    /// Whether this is a group of diverse beam search, which follows transformers 4: whether the
    /// search can still improve is judged by the best continuation, even if it ends a text.
    is_group: bool,
    /// Ascending.
    eos_token_id: Vec<u32>,
    /// For a group: the last tokens of texts that have just reached the greatest length.
    cut_off: Vec<u32>,
    num_beams: usize,
    num_return_sequences: usize,
    /// Number of continuations to consider: enough that `num_beams` remain if the others end.
    candidates: usize,
    /// Random numbers, if continuations are sampled.
    random: Option<RowRandom>,
    /// Best first; the score is the sum of the log-probabilities.
    running: Vec<Hypothesis>,
    finished: Finished,
}

impl BeamSearch {
    /// Continues a prompt.
    pub(super) fn new(config: &GenerationConfig, prompt: &Prompt) -> Self {
        Self::with_beams(config.num_beams, config, prompt)
    }

    /// One of the groups that the configuration's beams are divided into.
    pub(super) fn group(config: &GenerationConfig, prompt: &Prompt) -> Self {
        Self {
            is_group: true,
            ..Self::with_beams(config.num_beams / config.num_beam_groups, config, prompt)
        }
    }

    fn with_beams(num_beams: usize, config: &GenerationConfig, prompt: &Prompt) -> Self {
        Self {
            is_group: false,
            eos_token_id: different(&config.eos_token_id),
            cut_off: Vec::new(),
            num_beams,
            num_return_sequences: config.num_return_sequences,
            candidates: candidates(num_beams, config),
            random: config
                .do_sample
                .then(|| RowRandom::new(config.seed, prompt, 0)),
            running: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
            finished: Finished::new(config, num_beams, prompt.tokens.len()),
        }
    }

    /// Sampled continuations, in the order of the draws.
    fn drawn(&mut self, step: &Step<'_>) -> Option<Vec<Continuation>> {
        let random = self.random.as_mut()?;
        let mut drawn = Best::new(self.candidates);
        for (row, hypothesis) in self.running.iter().enumerate() {
            for (log_prob, token) in possible(step.scores(row)) {
                let score = log_prob + hypothesis.score;
                let next = Continuation {
                    row,
                    token,
                    log_prob,
                    score,
                };
                drawn.add(score + random.gumbel(), next);
            }
        }
        Some(drawn.into_sorted())
    }

    /// For a group: the tokens that its rows have just taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> {
        let running = self.running.iter().filter_map(|row| row.tokens.last());
        running.chain(&self.cut_off).copied()
    }

    /// The finished and the running hypotheses.
    pub(super) fn into_parts(self) -> (Finished, Vec<Hypothesis>) {
        (self.finished, self.running)
    }
}

/// Number of continuations to consider, so that `num_beams` remain if the others end.
pub(super) fn candidates(num_beams: usize, config: &GenerationConfig) -> usize {
    num_beams.saturating_mul((1 + different(&config.eos_token_id).len()).max(2))
}

/// The parents of the running rows, or none if no row can improve the finished hypotheses. `best` is
/// the highest sum of log-probabilities to judge by.
pub(super) fn parents_if_improvable(
    finished: &Finished,
    best: Option<f32>,
    running: &[Hypothesis],
    parents: Vec<usize>,
) -> Vec<usize> {
    let generated = running.first().map(|row| row.token_log_probs.len());
    match best.zip(generated) {
        Some((best, generated)) if finished.can_improve(best, generated) => parents,
        _ => Vec::new(),
    }
}

impl Search for BeamSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let candidates = match self.drawn(&step) {
            Some(drawn) => drawn,
            None => step.best_continuations(&self.running, self.candidates),
        };
        let mut running: Vec<(usize, Hypothesis)> = Vec::new();
        self.cut_off.clear();
        // Without draws, candidates are best first, so that those after enough running ones change nothing.
        let are_sorted = self.random.is_none() && !self.is_group;
        for (position, candidate) in candidates.iter().enumerate() {
            if are_sorted && position >= self.num_beams && running.len() >= self.num_beams {
                break;
            }
            let hypothesis = step.extended(&self.running[candidate.row], candidate);
            if !step.is_complete(&hypothesis) {
                running.push((candidate.row, hypothesis));
            } else if self.is_group && self.eos_token_id.binary_search(&candidate.token).is_err() {
                // In transformers 4, texts of the greatest length were still running, and there were
                // up to `num_beams` of those, whatever had ended before them.
                if self.cut_off.len() < self.num_beams {
                    self.cut_off.push(candidate.token);
                    self.finished.keep(hypothesis);
                }
            } else if position < self.num_beams {
                // Later candidates only replace beams that end.
                self.finished.keep(hypothesis);
            }
        }
        // Already best first, unless they were sampled.
        running.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        running.truncate(self.num_beams);
        let best = match self.is_group {
            true => candidates.first().map(|next| next.score),
            false => running.first().map(|(_, row)| row.score),
        };
        let (parents, running) = running.into_iter().unzip();
        self.running = running;
        parents_if_improvable(&self.finished, best, &self.running, parents)
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        best_draft(&self.finished, &self.running)
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        self.finished
            .into_best(self.running, self.num_return_sequences)
    }
}

/// The best of the finished and running hypotheses. Its settled tokens are those that it has in common
/// with every hypothesis that can still become the best.
pub(super) fn best_draft<'a>(finished: &'a Finished, running: &'a [Hypothesis]) -> Vec<Draft<'a>> {
    let score = |row: &&Hypothesis| finished.score_of(row);
    let best_running = running.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
    let best = match (finished.best(), best_running) {
        (Some(done), Some(row)) if done.score >= score(&row) => done,
        (_, Some(row)) => row,
        (Some(done), None) => done,
        (None, None) => return Vec::new(),
    };
    let others = running.iter().chain(finished.best());
    let common = |other: &Hypothesis| {
        let pairs = other.tokens.iter().zip(&best.tokens);
        pairs.take_while(|(a, b)| a == b).count()
    };
    vec![Draft {
        sequence: 0,
        hypothesis: best,
        settled: others.map(common).min().unwrap_or(best.tokens.len()),
    }]
}
