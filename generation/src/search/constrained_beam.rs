use std::collections::HashSet;
use std::sync::Arc;

use super::beam::{best_draft, candidates, parents_if_improvable};
use super::finished::Finished;
use super::{Continuation, Draft, Search, Step};
use crate::{GenerationConfig, Hypothesis, Phrase, Prompt, Vocabulary};

/// Beam search for texts that contain all required phrases.
///
/// In addition to the most likely continuations, it considers those that begin or continue a missing
/// phrase. The beams are allocated by progress, the number of phrase tokens that a hypothesis has:
/// some beams always have the most progress, while others continue freely. Only texts with all
/// phrases are returned.
///
/// Reference: Post and Vilar, "Fast Lexically Constrained Decoding with Dynamic Beam Allocation for
/// Neural Machine Translation", 2018. Hugging Face: `force_words_ids`, whose search is now code on
/// its Hub and knows tokens only, not words.
#[derive(Clone, Debug)]
pub(super) struct ConstrainedBeamSearch {
    num_beams: usize,
    num_return_sequences: usize,
    candidates: usize,
    /// With their texts, for phrases of words.
    phrases: Vec<(Phrase, Vec<String>)>,
    vocabulary: Arc<Vocabulary>,
    /// The score is the sum of the log-probabilities.
    running: Vec<Hypothesis>,
    finished: Finished,
}

/// A continuation of a row, with its progress.
struct Candidate {
    parent: usize,
    hypothesis: Hypothesis,
    /// Number of phrase tokens that it has.
    progress: usize,
}

impl ConstrainedBeamSearch {
    /// Continues a prompt. The vocabulary may be empty if there are no phrases of words.
    pub(super) fn new(
        config: &GenerationConfig,
        prompt: &Prompt,
        vocabulary: Arc<Vocabulary>,
    ) -> Self {
        Self {
            num_beams: config.num_beams,
            num_return_sequences: config.num_return_sequences,
            candidates: candidates(config.num_beams, config),
            phrases: required_phrases(config, prompt)
                .into_iter()
                .map(|phrase| {
                    let words = phrase.words(&vocabulary);
                    (phrase, words)
                })
                .collect(),
            vocabulary,
            running: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
            finished: Finished::new(config, config.num_beams, prompt.tokens.len()),
        }
    }

    /// The most likely continuations, and those that begin or continue a missing phrase.
    fn continuations(&self, step: &Step<'_>) -> Vec<Continuation> {
        let mut list = step.best_continuations(&self.running, self.candidates);
        let mut there: HashSet<(usize, u32)> =
            list.iter().map(|next| (next.row, next.token)).collect();
        for (row, hypothesis) in self.running.iter().enumerate() {
            for token in self.advancing(&hypothesis.tokens) {
                let log_prob = step.scores(row).get(token as usize).copied();
                if let Some(log_prob) = log_prob.filter(|log_prob| log_prob.is_finite())
                    && there.insert((row, token))
                {
                    list.push(Continuation {
                        row,
                        token,
                        log_prob,
                        score: hypothesis.score + log_prob,
                    });
                }
            }
        }
        list
    }

    fn has(&self, (phrase, words): &(Phrase, Vec<String>), tokens: &[u32]) -> bool {
        phrase.is_in(tokens, words, &self.vocabulary)
    }

    /// Tokens that begin or continue a missing phrase.
    fn advancing(&self, tokens: &[u32]) -> Vec<u32> {
        let phrases = self.phrases.iter();
        let missing = phrases.filter(|phrase| !self.has(phrase, tokens));
        missing
            .flat_map(|(phrase, _)| &phrase.alternatives)
            .flat_map(|phrase| [phrase[0], phrase[begun(tokens, phrase)]])
            .collect()
    }

    /// Number of phrase tokens that a text has: those of phrases in it, and of phrases begun at its
    /// end.
    fn progress(&self, tokens: &[u32]) -> usize {
        let of_one = |phrase: &(Phrase, Vec<String>)| {
            let shortest = phrase.0.shortest();
            if self.has(phrase, tokens) {
                return shortest;
            }
            let begun = phrase.0.alternatives.iter().map(|p| begun(tokens, p));
            // All tokens of a phrase inside a longer word, as in "dogma", do not complete it.
            begun.max().unwrap_or(0).min(shortest - 1)
        };
        self.phrases.iter().map(of_one).sum()
    }

    fn has_all(&self, progress: usize) -> bool {
        progress
            == self
                .phrases
                .iter()
                .map(|(phrase, _)| phrase.shortest())
                .sum::<usize>()
    }
}

/// All phrases that a text has to contain.
pub(crate) fn required_phrases(config: &GenerationConfig, prompt: &Prompt) -> Vec<Phrase> {
    let forced = config.force_words_ids.iter().map(|alternatives| Phrase {
        alternatives: alternatives.clone(),
        ..Phrase::new(Vec::new())
    });
    forced.chain(prompt.required.iter().cloned()).collect()
}

/// The number of tokens of a phrase, fewer than all, that a text ends with.
fn begun(tokens: &[u32], phrase: &[u32]) -> usize {
    let most = phrase.len().saturating_sub(1).min(tokens.len());
    (1..=most)
        .rev()
        .find(|length| tokens.ends_with(&phrase[..*length]))
        .unwrap_or(0)
}

impl Search for ConstrainedBeamSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let continuations = self.continuations(&step);
        let mut pool: Vec<Candidate> = continuations
            .iter()
            .map(|next| {
                let hypothesis = step.extended(&self.running[next.row], next);
                Candidate {
                    parent: next.row,
                    progress: self.progress(&hypothesis.tokens),
                    hypothesis,
                }
            })
            .collect();
        // Most progress first, and the most likely first among equals.
        pool.sort_by(|a, b| {
            let by_score = b.hypothesis.score.total_cmp(&a.hypothesis.score);
            b.progress.cmp(&a.progress).then(by_score)
        });
        let mut open: Vec<Candidate> = Vec::new();
        for (position, candidate) in pool.into_iter().enumerate() {
            if !step.is_complete(&candidate.hypothesis) {
                open.push(candidate);
            } else if position < self.num_beams && self.has_all(candidate.progress) {
                self.finished.keep(candidate.hypothesis);
            }
        }
        let mut chosen = allocated(open, self.num_beams);
        chosen.sort_by(|a, b| b.hypothesis.score.total_cmp(&a.hypothesis.score));
        let parents = chosen.iter().map(|chosen| chosen.parent).collect();
        self.running = chosen.into_iter().map(|chosen| chosen.hypothesis).collect();
        let best = self.running.first().map(|row| row.score);
        parents_if_improvable(&self.finished, best, &self.running, parents)
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        best_draft(&self.finished, &self.running)
    }

    fn finish(mut self: Box<Self>) -> Vec<Hypothesis> {
        // There are running texts if the search was cut short.
        let mut running = std::mem::take(&mut self.running);
        running.retain(|text| self.has_all(self.progress(&text.tokens)));
        self.finished.into_best(running, self.num_return_sequences)
    }
}

/// Allocates beams to candidates, which are sorted by progress and then by score: the best of each
/// progress, then the second best of each, and so on.
fn allocated(candidates: Vec<Candidate>, num_beams: usize) -> Vec<Candidate> {
    let mut banks: Vec<(usize, Vec<Candidate>)> = Vec::new();
    for candidate in candidates {
        match banks.last_mut() {
            Some((progress, bank)) if *progress == candidate.progress => bank.push(candidate),
            _ => banks.push((candidate.progress, vec![candidate])),
        }
    }
    let mut ranked: Vec<(usize, Candidate)> = banks
        .into_iter()
        .flat_map(|(_, bank)| bank.into_iter().enumerate())
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank); // stable: more progress first
    ranked.truncate(num_beams);
    ranked.into_iter().map(|(_, candidate)| candidate).collect()
}
