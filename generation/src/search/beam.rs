use super::finished::Finished;
use super::{Continuation, Draft, Search, Step};
use crate::numeric::possible;
use crate::random::RowRandom;
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Pursues the `num_beams` most likely hypotheses at once and returns the best that end.
///
/// The semantics are those of transformers 5 (`GenerationMixin._beam_search`). One thing is done
/// differently, with the same result: there, `num_beams` equal rows start, all but one with a score
/// of -10⁹, here one row starts and becomes several when it has several continuations. Steps whose
/// outcome is forced then cost one row. Where fewer than `num_return_sequences` texts are possible,
/// such as when the only token is forced, fewer are returned; there, repeats with scores of -10⁹.
///
/// With `do_sample` the continuations are drawn instead, without replacement, by the probabilities
/// of the texts that they make.
#[derive(Debug)]
pub(super) struct BeamSearch {
    /// Whether it ends as in transformers 4, which is where group search comes from: what is left
    /// to gain is judged by the best continuation, even if that ends a text.
    is_group: bool,
    eos_token_id: Vec<u32>,
    /// Of a group, the last tokens of texts that were as long as they may be.
    cut_off: Vec<u32>,
    num_beams: usize,
    num_return_sequences: usize,
    /// Continuations to look at: enough that `num_beams` are left if all others end.
    candidates: usize,
    /// What candidates are drawn with, if they are.
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
            eos_token_id: config.eos_token_id.clone(),
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

    /// Candidates that are drawn, in the order in which they are.
    fn drawn(&mut self, step: &Step<'_>) -> Option<Vec<Continuation>> {
        let random = self.random.as_mut()?;
        let mut drawn: Vec<(f32, Continuation)> = Vec::with_capacity(self.candidates + 1);
        for (row, hypothesis) in self.running.iter().enumerate() {
            for (log_prob, token) in possible(step.scores(row)) {
                let score = log_prob + hypothesis.score;
                let key = score + random.gumbel();
                let place = drawn.partition_point(|(other, _)| *other >= key);
                if place < self.candidates {
                    let next = Continuation {
                        row,
                        token,
                        log_prob,
                        score,
                    };
                    drawn.insert(place, (key, next));
                    drawn.truncate(self.candidates);
                }
            }
        }
        Some(drawn.into_iter().map(|(_, next)| next).collect())
    }

    /// Of a group, the tokens that its rows have just taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> {
        let running = self.running.iter().filter_map(|row| row.tokens.last());
        running.chain(&self.cut_off).copied()
    }

    /// What this search would return, and what it is still at.
    pub(super) fn into_parts(self) -> (Finished, Vec<Hypothesis>) {
        (self.finished, self.running)
    }
}

/// Continuations to look at, so that enough are left if the others end.
pub(super) fn candidates(num_beams: usize, config: &GenerationConfig) -> usize {
    num_beams * (1 + config.eos_token_id.len()).max(2)
}

/// The parents of the rows that run, or none if they can't improve what is finished. `best` is the
/// highest sum of log-probabilities that counts.
pub(super) fn goes_on(
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
        let mut running: Vec<(usize, Hypothesis)> = Vec::with_capacity(self.num_beams);
        self.cut_off.clear();
        for (place, candidate) in candidates.iter().enumerate() {
            let hypothesis = step.extended(&self.running[candidate.row], candidate);
            if !step.is_complete(&hypothesis) {
                running.push((candidate.row, hypothesis));
            } else if self.is_group && !self.eos_token_id.contains(&candidate.token) {
                // There, what reaches the longest length still ran, and as many ran as there are
                // beams, whatever ended before them.
                if self.cut_off.len() < self.num_beams {
                    self.cut_off.push(candidate.token);
                    self.finished.keep(hypothesis);
                }
            } else if place < self.num_beams {
                // The rest are there to go on with, should the first ones end.
                self.finished.keep(hypothesis);
            }
        }
        // Best first already, unless they are drawn.
        running.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        running.truncate(self.num_beams);
        let best = match self.is_group {
            true => candidates.first().map(|next| next.score),
            false => running.first().map(|(_, row)| row.score),
        };
        let (parents, running) = running.into_iter().unzip();
        self.running = running;
        goes_on(&self.finished, best, &self.running, parents)
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        best_draft(&self.finished, &self.running)
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        self.finished
            .into_best(self.running, self.num_return_sequences)
    }
}

/// The best of finished and running hypotheses, as far as all agree that can still become the best.
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
