use super::beam::BeamSearch;
use super::{Draft, Search, Step, normalised};
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Diverse beam search: divides the beams into groups and penalises, in each group, the tokens that
/// earlier groups take at the same step, so that their texts differ.
///
/// Hugging Face: `_group_beam_search` with `HammingDiversityLogitsProcessor`. Reference: Vijayakumar
/// et al., "Diverse Beam Search", 2016. Each group is a [`BeamSearch`].
#[derive(Debug)]
pub(super) struct DiverseBeamSearch {
    diversity_penalty: f32,
    length_penalty: f64,
    num_return_sequences: usize,
    groups: Vec<Group>,
    /// The rows of all running groups; at the start one row for all groups, the prompt.
    rows: Vec<Hypothesis>,
}

#[derive(Debug)]
struct Group {
    search: BeamSearch,
    is_over: bool,
}

impl DiverseBeamSearch {
    /// Continues a prompt.
    pub(super) fn new(config: &GenerationConfig, prompt: &Prompt) -> Self {
        let group = |_| Group {
            search: BeamSearch::group(config, prompt),
            is_over: false,
        };
        Self {
            diversity_penalty: config.diversity_penalty as f32,
            length_penalty: config.length_penalty,
            num_return_sequences: config.num_return_sequences,
            groups: (0..config.num_beam_groups).map(group).collect(),
            rows: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
        }
    }
}

impl Search for DiverseBeamSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.rows
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn runs_processors(&self) -> bool {
        true
    }

    fn advance(&mut self, mut step: Step<'_>) -> Vec<usize> {
        let mut parents = Vec::new();
        let mut taken: Vec<u32> = Vec::new();
        let mut first = 0;
        // At the start all groups have the same row.
        let is_start = self.rows.iter().all(|row| row.token_log_probs.is_empty());
        let first_scores = is_start.then(|| step.scores(0).to_vec());
        self.rows.clear();
        for group in self.groups.iter_mut().filter(|group| !group.is_over) {
            let rows = first..first + group.search.rows().len();
            for (row, hypothesis) in rows.clone().zip(group.search.rows()) {
                let scores = step.scores_mut(row);
                for token in &taken {
                    scores[*token as usize] -= self.diversity_penalty;
                }
                // After the penalty, as in Hugging Face, so that a forced token is not penalised.
                step.process(row, &hypothesis.tokens);
            }
            let continued = group.search.advance(step.part(rows.clone()));
            match &first_scores {
                Some(scores) => step.scores_mut(0).copy_from_slice(scores),
                None => first = rows.end,
            }
            taken.extend(group.search.taken());
            group.is_over = continued.is_empty();
            if !group.is_over {
                let rows_now = group.search.rows();
                parents.extend(continued.iter().map(|parent| rows.start + parent));
                self.rows.extend(rows_now.iter().cloned());
            }
        }
        parents
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        let score = |draft: &Draft<'_>| {
            let text = draft.hypothesis;
            normalised(
                text.sum(),
                text.token_log_probs.len().max(1),
                self.length_penalty,
            )
        };
        let drafts = self.groups.iter().flat_map(|group| group.search.drafts());
        let best = drafts.max_by(|a, b| score(a).total_cmp(&score(b)));
        // Until all groups are over, the best text may come from any of them.
        best.into_iter()
            .map(|draft| Draft {
                settled: draft.hypothesis.prompt_length(),
                ..draft
            })
            .collect()
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        let count = self.num_return_sequences;
        let mut best: Vec<Hypothesis> = self
            .groups
            .into_iter()
            .flat_map(|group| {
                let (finished, running) = group.search.into_parts();
                let running = if group.is_over { Vec::new() } else { running };
                finished.into_best(running, count)
            })
            .collect();
        best.sort_by(|a, b| b.score.total_cmp(&a.score)); // stable
        best.truncate(count);
        best
    }
}
