use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::job::Job;

/// The requests that wait, in the order in which they came.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    places: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Whether nothing more is accepted.
    closed: bool,
    /// Whether nobody takes requests any more.
    left: bool,
}

/// Why a request can't wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// This many wait already.
    Full(usize),
    Closed,
}

impl Queue {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            places,
        }
    }

    /// Adds a request, if there is a place; see [`room`](Self::room).
    pub(crate) fn push(&self, job: Job, end: impl FnMut(Job)) -> Result<(), (NoPlace, Box<Job>)> {
        let (room, over) = {
            let mut state = self.lock();
            let (room, over) = state.make_room(self.places);
            let pushed = match room {
                Ok(()) => {
                    state.waiting.push_back(job);
                    Ok(())
                }
                Err(no_place) => Err((no_place, Box::new(job))),
            };
            (pushed, over)
        };
        self.changed.notify_all();
        over.into_iter().for_each(end);
        room
    }

    /// Whether there is a place. If there is none, those that nobody waits for any more, or that are too late, give theirs
    /// up: `end` is called with each.
    pub(crate) fn room(&self, end: impl FnMut(Job)) -> Result<(), NoPlace> {
        let (room, over) = self.lock().make_room(self.places);
        over.into_iter().for_each(end);
        room
    }

    /// Waits for a request. Returns `None` once the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Job> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let woken = self.changed.wait_while(self.lock(), idle);
        let mut state = woken.unwrap_or_else(PoisonError::into_inner);
        state.waiting.pop_front()
    }

    /// The request that has waited longest, if there is one.
    pub(crate) fn try_take(&self) -> Option<Job> {
        self.lock().waiting.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Says that nobody takes requests any more, and returns those that are left.
    pub(crate) fn leave(&self) -> Vec<Job> {
        let left = {
            let mut state = self.lock();
            state.closed = true;
            state.left = true;
            state.waiting.drain(..).collect()
        };
        self.changed.notify_all();
        left
    }

    /// Waits until nobody takes requests any more.
    pub(crate) fn wait_until_left(&self) {
        let busy = |state: &mut State| !state.left;
        drop(self.changed.wait_while(self.lock(), busy));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Says whether there is a place, and removes those that are over if that is needed for one.
    fn make_room(&mut self, places: usize) -> (Result<(), NoPlace>, VecDeque<Job>) {
        let mut over = VecDeque::new();
        if self.waiting.len() >= places {
            let all = std::mem::take(&mut self.waiting);
            (self.waiting, over) = all.into_iter().partition(|job| job.check().is_ok());
        }
        let room = match self.waiting.len() {
            _ if self.closed => Err(NoPlace::Closed),
            waiting if waiting >= places => Err(NoPlace::Full(waiting)),
            _ => Ok(()),
        };
        (room, over)
    }
}
