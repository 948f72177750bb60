use super::item::{Item, ItemStep};
use super::watcher::Watcher;
use crate::PromptResult;

/// The prompts under way, and what the model is fed next.
pub(super) struct Batch<'o> {
    /// In the order of their rows.
    items: Vec<Item>,
    /// Token ids, `[rows, new]`.
    tokens: Vec<u32>,
    /// For each row, the row of the latest step that it continues.
    parents: Vec<usize>,
    watcher: Watcher<'o>,
}

impl<'o> Batch<'o> {
    /// Prompts that each begin with one row; `tokens` is what the model is fed first.
    pub(super) fn new(items: Vec<Item>, tokens: Vec<u32>, watcher: Watcher<'o>) -> Self {
        Self {
            items,
            tokens,
            parents: Vec::new(),
            watcher,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.items.is_empty() || self.watcher.has_ended()
    }

    pub(super) fn rows(&self) -> usize {
        self.items.iter().map(Item::rows).sum()
    }

    pub(super) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    pub(super) fn needs_hidden_states(&self) -> bool {
        self.items.iter().any(Item::needs_hidden_states)
    }

    /// The parents of the rows, unless all `rows` of the latest step continue in order.
    pub(super) fn parents_if_moved(&self, rows: usize) -> Option<&[usize]> {
        let in_order = self.parents.iter().copied().eq(0..rows);
        (!in_order).then_some(self.parents.as_slice())
    }

    /// Lets each prompt choose what comes next. Returns the prompts that are over, which leave the
    /// batch.
    ///
    /// `scores` is `[rows, vocab_size]`; `hidden_states` is `[rows, width]`, or empty if no prompt
    /// needs them.
    pub(super) fn advance(
        &mut self,
        scores: &mut [f32],
        vocab_size: usize,
        hidden_states: &[f32],
    ) -> Vec<(usize, PromptResult)> {
        let width = hidden_states.len() / self.rows().max(1);
        self.tokens.clear();
        self.parents.clear();
        let mut over = Vec::new();
        let mut rest = scores;
        let mut first_row = 0;
        let mut index = 0;
        while let Some(item) = self.items.get_mut(index) {
            let rows = first_row..first_row + item.rows();
            first_row = rows.end;
            let (scores, others) = rest.split_at_mut(rows.len() * vocab_size);
            rest = others;
            // Other prompts get none, as if they were alone.
            let hidden_states = item
                .needs_hidden_states()
                .then(|| &hidden_states[rows.start * width..rows.end * width]);
            let step = ItemStep {
                scores,
                vocab_size,
                hidden_states,
            };
            match item.advance(step, &mut self.tokens) {
                Ok(parents) if !parents.is_empty() => {
                    let parents = parents.iter().map(|row| rows.start + row);
                    self.parents.extend(parents);
                    self.watcher.drafts(item);
                    index += 1;
                }
                end => {
                    let item = self.items.remove(index);
                    let prompt = item.index();
                    let result = end.and_then(|_| item.finish());
                    self.watcher.result(prompt, &result);
                    over.push((prompt, result));
                }
            }
        }
        over
    }

    /// Ends all prompts with their texts as they are.
    pub(super) fn finish(self) -> Vec<(usize, PromptResult)> {
        let items = self.items.into_iter();
        items
            .map(|item| (item.index(), Ok(item.cut_short())))
            .collect()
    }
}
