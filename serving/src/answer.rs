use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use captioning::{AttentionMap, Caption, Language};

use crate::Error;

/// A part of an answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// A caption has grown, or another one has become the best. Only if [`Request::drafts`](crate::Request::drafts) asks
    /// for it. A draft that was not read replaces the one before it.
    Draft {
        /// The language.
        language: Language,
        /// Index of the caption among those of its language; always 0 in a beam search, of which only the best is shown.
        sequence: usize,
        /// The part that does not change any more.
        settled: String,
        /// The whole caption so far.
        draft: String,
    },
    /// The captions in a language, complete.
    Captions {
        /// The language.
        language: Language,
        /// The captions, best first, or why there is none in this language.
        captions: Result<Vec<WrittenCaption>, captioning::Error>,
    },
    /// The scores of the given texts in a language.
    Scores {
        /// The language.
        language: Language,
        /// For each text, its score and tokens, or why it has none; or why none of them has.
        scores: Result<Vec<Result<Caption, captioning::Error>>, captioning::Error>,
    },
    /// The last part of an answer that is not complete.
    Failed(Error),
    /// The last part of an answer that is complete.
    Done,
}

/// A caption, and where the decoder looked.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenCaption {
    /// The caption.
    pub caption: Caption,
    /// A map for each word; empty unless [`Request::attention`](crate::Request::attention) asks for them.
    pub attention: Vec<AttentionMap>,
}

/// The answer to a request, part by part. Dropping it cancels the request.
///
/// It is an iterator for threads, which waits for each part. Async code uses [`poll_next`](Self::poll_next). After
/// [`Update::Done`] or [`Update::Failed`], there is nothing more.
#[derive(Debug)]
pub struct Answer {
    channel: Arc<Channel>,
}

/// The end of an answer that the worker writes to. Dropping it ends the answer.
#[derive(Debug)]
pub(crate) struct Updates {
    channel: Arc<Channel>,
}

#[derive(Debug, Default)]
struct Channel {
    state: Mutex<State>,
    arrived: Condvar,
    /// Whether nobody will read any more.
    gone: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    unread: VecDeque<Update>,
    closed: bool,
    waker: Option<Waker>,
}

/// Both ends of an answer.
pub(crate) fn answer() -> (Updates, Answer) {
    let channel = Arc::new(Channel::default());
    let updates = Updates {
        channel: Arc::clone(&channel),
    };
    (updates, Answer { channel })
}

impl Answer {
    /// The next part as soon as there is one, or `None` after the last. The context's task is woken when it is worth
    /// asking again.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Update>> {
        let mut state = self.channel.lock();
        match state.unread.pop_front() {
            Some(update) => Poll::Ready(Some(update)),
            None if state.closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Iterator for Answer {
    type Item = Update;

    /// Waits for the next part.
    fn next(&mut self) -> Option<Update> {
        let state = self.channel.lock();
        let waits = |state: &mut State| state.unread.is_empty() && !state.closed;
        let arrived = self.channel.arrived.wait_while(state, waits);
        let mut state = arrived.unwrap_or_else(PoisonError::into_inner);
        state.unread.pop_front()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.channel.gone.store(true, Ordering::Relaxed);
    }
}

impl Updates {
    /// Whether nobody reads the answer.
    pub(crate) fn is_gone(&self) -> bool {
        self.channel.gone.load(Ordering::Relaxed)
    }

    pub(crate) fn send(&self, update: Update) {
        self.channel
            .change(|state| match state.older_draft(&update) {
                Some(older) => *older = update,
                None => state.unread.push_back(update),
            });
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.channel.change(|state| state.closed = true);
    }
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes whoever waits for it.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let waker = {
            let mut state = self.lock();
            change(&mut state);
            state.waker.take()
        };
        self.arrived.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl State {
    /// The unread draft that this one replaces.
    fn older_draft(&mut self, newer: &Update) -> Option<&mut Update> {
        let of = |update: &Update| match update {
            Update::Draft {
                language, sequence, ..
            } => Some((*language, *sequence)),
            _ => None,
        };
        let newer = of(newer)?;
        self.unread
            .iter_mut()
            .find(|older| of(older) == Some(newer))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn draft(language: &str, text: &str) -> Update {
        Update::Draft {
            language: captioning::language(language).unwrap(),
            sequence: 0,
            settled: String::new(),
            draft: text.into(),
        }
    }

    fn text(update: &Update) -> &str {
        match update {
            Update::Draft { draft, .. } => draft,
            _ => "",
        }
    }

    #[test]
    fn drafts_that_nobody_read_are_replaced_and_nothing_else_is() {
        let (updates, answer) = answer();
        updates.send(draft("en", "a"));
        updates.send(draft("de", "ein"));
        updates.send(draft("en", "a dog"));
        updates.send(Update::Done);
        drop(updates);
        let read: Vec<Update> = answer.collect();
        assert_eq!(read.len(), 3);
        assert_eq!(text(&read[0]), "a dog");
        assert_eq!(text(&read[1]), "ein");
        assert!(matches!(read[2], Update::Done));
    }

    #[test]
    fn a_reader_that_waits_is_woken_by_each_part_and_by_the_end() {
        let (updates, answer) = answer();
        let reader = thread::spawn(move || answer.count());
        updates.send(draft("en", "a"));
        updates.send(Update::Done);
        drop(updates);
        assert!((1..=2).contains(&reader.join().unwrap()));
    }

    #[test]
    fn a_task_that_waits_is_woken() {
        let (updates, mut answer) = answer();
        let mut context = Context::from_waker(Waker::noop());
        assert!(answer.poll_next(&mut context).is_pending());
        updates.send(Update::Done);
        assert!(matches!(
            answer.poll_next(&mut context),
            Poll::Ready(Some(Update::Done))
        ));
        assert!(!updates.is_gone());
        drop(updates);
        assert!(matches!(answer.poll_next(&mut context), Poll::Ready(None)));
    }

    #[test]
    fn an_answer_that_is_dropped_is_gone() {
        let (updates, answer) = answer();
        drop(answer);
        assert!(updates.is_gone());
        updates.send(Update::Done);
    }
}
