use std::ops::Range;

use super::item::{Item, ItemStep};
use super::watcher::Watcher;
use super::{Call, Ended};

/// The prompts under way, and what the model is fed next.
#[derive(Default)]
pub(super) struct Batch<'o> {
    /// In the order of their rows.
    items: Vec<Item>,
    /// Of each call that has prompts under way.
    watchers: Vec<(Call, Watcher<'o>)>,
    /// Token ids, `[rows, new]`.
    tokens: Vec<u32>,
    /// For each row, the row of the latest step that it continues.
    parents: Vec<usize>,
}

impl<'o> Batch<'o> {
    /// Appends the prompts of a call, which each begin with one row. `tokens` is what the model is fed of them first.
    pub(super) fn add(
        &mut self,
        call: Call,
        items: Vec<Item>,
        tokens: impl Iterator<Item = u32>,
        watcher: Watcher<'o>,
    ) {
        if !items.is_empty() {
            self.items.extend(items);
            self.tokens.extend(tokens);
            self.watchers.push((call, watcher));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
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
    ) -> Vec<Ended> {
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
            let call = item.call();
            let mut watchers = self.watchers.iter_mut();
            let watcher = watchers.find(|(of, _)| *of == call);
            let watcher = watcher.map(|(_, watcher)| watcher);
            match item.advance(step, &mut self.tokens) {
                Ok(parents) if !parents.is_empty() => {
                    let parents = parents.iter().map(|row| rows.start + row);
                    self.parents.extend(parents);
                    if let Some(watcher) = watcher {
                        watcher.drafts(item);
                    }
                    index += 1;
                }
                end => {
                    let item = self.items.remove(index);
                    let prompt = item.index();
                    let result = end.and_then(|_| item.finish());
                    if let Some(watcher) = watcher {
                        watcher.result(prompt, &result);
                    }
                    over.push(Ended {
                        call,
                        prompt,
                        result,
                    });
                }
            }
        }
        over.extend(self.end_unwatched());
        let items = &self.items;
        self.watchers
            .retain(|(call, _)| items.iter().any(|item| item.call() == *call));
        over
    }

    /// Ends the calls whose observers have said so.
    fn end_unwatched(&mut self) -> Vec<Ended> {
        let ended = self.watchers.iter().filter(|(_, w)| w.has_ended());
        let ended: Vec<Call> = ended.map(|(call, _)| *call).collect();
        ended.into_iter().flat_map(|call| self.end(call)).collect()
    }

    /// Ends the prompts of a call with their texts as they are. `tokens` and `parents` are those of the rows that
    /// stay.
    fn end(&mut self, call: Call) -> Vec<Ended> {
        let mut over = Vec::new();
        let mut index = 0;
        let mut first_row = 0;
        while let Some(item) = self.items.get(index) {
            let rows = first_row..first_row + item.rows();
            if item.call() != call {
                first_row = rows.end;
                index += 1;
                continue;
            }
            let item = self.items.remove(index);
            self.drop_rows(rows);
            over.push(Ended {
                call,
                prompt: item.index(),
                result: Ok(item.cut_short()),
            });
        }
        over
    }

    /// Forgets what rows that were to be fed one token each would have been fed.
    fn drop_rows(&mut self, rows: Range<usize>) {
        self.tokens.drain(rows.clone());
        self.parents.drain(rows);
    }

    /// Ends the prompts of a call between steps, with their texts as they are. Afterwards
    /// [`parents_if_moved`](Self::parents_if_moved) says which rows stay.
    pub(super) fn cancel(&mut self, call: Call) -> Vec<Ended> {
        let rows = self.rows();
        self.parents = (0..rows).collect();
        let over = self.end(call);
        self.watchers.retain(|(other, _)| *other != call);
        over
    }
}
