//! The way of pictures from the iterator over readers and workers to whoever takes the records.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use preprocess::image::PixelValues;

use super::{Plan, Record};

/// What readers, workers and the calling thread share.
pub(super) struct Flow<I, T, E> {
    source: Mutex<Source<I>>,
    state: Mutex<State<T>>,
    /// A record was taken or a picture joined its batch, so that more can be read.
    room: Condvar,
    /// A picture is prepared, or there will be no more.
    ready: Condvar,
    plan: Plan,
    done: Mutex<Sender<Option<Record<T, E>>>>,
}

struct Source<I> {
    /// `None` at the end.
    pictures: Option<I>,
    next: u64,
}

struct State<T> {
    prepared: VecDeque<Prepared<T>>,
    /// Pictures that were taken from the iterator and whose records were not taken.
    under_way: usize,
    /// Pictures that are being opened.
    opening: usize,
    readers: usize,
    stopped: bool,
}

/// A picture that is ready for a batch.
pub(super) struct Prepared<T> {
    pub(super) index: u64,
    pub(super) picture: T,
    pub(super) pixels: PixelValues,
    pub(super) prepare: Duration,
}

impl<I: Iterator<Item = T>, T, E> Flow<I, T, E> {
    pub(super) fn new(pictures: I, plan: Plan, done: Sender<Option<Record<T, E>>>) -> Self {
        Self {
            source: Mutex::new(Source {
                pictures: Some(pictures),
                next: 0,
            }),
            state: Mutex::new(State {
                prepared: VecDeque::new(),
                under_way: 0,
                opening: 0,
                readers: plan.readers,
                stopped: false,
            }),
            room: Condvar::new(),
            ready: Condvar::new(),
            plan,
            done: Mutex::new(done),
        }
    }

    /// The next picture to open, once there is room for it; `None` at the end.
    pub(super) fn next_picture(&self) -> Option<(u64, T)> {
        let mut state = self.lock();
        while !state.stopped
            && (state.under_way >= self.plan.window
                || state.prepared.len() + state.opening >= self.plan.ahead)
        {
            state = wait(&self.room, state);
        }
        if state.stopped {
            return None;
        }
        state.under_way += 1;
        state.opening += 1;
        drop(state);
        let picture = self.pull();
        if picture.is_none() {
            let mut state = self.lock();
            state.under_way -= 1;
            state.opening -= 1;
        }
        picture
    }

    /// Takes a picture from the iterator. Nothing else is locked meanwhile, since it may read a file.
    fn pull(&self) -> Option<(u64, T)> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(picture) = source.pictures.as_mut()?.next() else {
            source.pictures = None; // not every iterator may be asked again
            return None;
        };
        source.next += 1;
        Some((source.next - 1, picture))
    }

    /// Hands a picture to the workers, which was opened.
    pub(super) fn put(&self, prepared: Prepared<T>) {
        let mut state = self.lock();
        state.opening -= 1;
        state.prepared.push_back(prepared);
        drop(state);
        self.ready.notify_one();
    }

    /// Gives the record of a picture that could not be opened.
    pub(super) fn fail(&self, record: Record<T, E>) {
        self.lock().opening -= 1;
        self.room.notify_one();
        self.finish(record);
    }

    /// A value that a thread holds while it works.
    pub(super) fn at_work(&self, role: Role) -> AtWork<'_, I, T, E> {
        AtWork { flow: self, role }
    }

    /// Up to `most` pictures that are prepared. Waits for the first if asked to; none then means that there will be no more.
    pub(super) fn prepared(&self, most: usize, waits: bool) -> Vec<Prepared<T>> {
        let mut state = self.lock();
        while waits && state.prepared.is_empty() && state.readers > 0 && !state.stopped {
            state = wait(&self.ready, state);
        }
        if state.stopped {
            return Vec::new();
        }
        let count = most.min(state.prepared.len());
        let taken = state.prepared.drain(..count).collect();
        drop(state);
        self.room.notify_all();
        taken
    }

    /// Gives the record of a picture.
    pub(super) fn finish(&self, record: Record<T, E>) {
        self.tell(Some(record));
    }

    /// Wakes the calling thread: with a record, or to look whether all is over.
    fn tell(&self, message: Option<Record<T, E>>) {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody takes records any more after a stop.
        let _ = done.send(message);
    }

    /// Whether the records of pictures under way are wanted.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.room.notify_all();
        self.ready.notify_all();
    }

    /// Gives records to `take` until all pictures have one.
    pub(super) fn deliver(
        &self,
        records: &Receiver<Option<Record<T, E>>>,
        ordered: bool,
        mut take: impl FnMut(Record<T, E>) -> ControlFlow<()>,
    ) {
        // However this ends, also if `take` panics, the threads end.
        let _stop = AtWork {
            flow: self,
            role: Role::Caller,
        };
        let (mut next, mut waiting) = (0, BTreeMap::new());
        while !self.is_over() {
            let Ok(Some(record)) = records.recv() else {
                continue; // a thread has ended
            };
            let index = record.index;
            waiting.insert(index, record);
            if !ordered {
                next = index;
            }
            while let Some(record) = waiting.remove(&next) {
                next += 1;
                if self.hand_over(record, &mut take).is_break() {
                    return;
                }
            }
        }
    }

    /// Whether all pictures have had their record, or a thread has panicked.
    fn is_over(&self) -> bool {
        let state = self.lock();
        state.stopped || state.readers == 0 && state.under_way == 0
    }

    fn hand_over(
        &self,
        record: Record<T, E>,
        take: &mut impl FnMut(Record<T, E>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let flow = take(record);
        self.lock().under_way -= 1;
        self.room.notify_one();
        flow
    }

    /// Nothing panics while it is locked.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<'a, T>(condition: &Condvar, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
    condition
        .wait(state)
        .unwrap_or_else(PoisonError::into_inner)
}

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Reader,
    Worker,
    /// Takes the records.
    Caller,
}

/// A thread at work. When it ends, others that wait for it go on; when it panics, all end.
pub(super) struct AtWork<'f, I: Iterator<Item = T>, T, E> {
    flow: &'f Flow<I, T, E>,
    role: Role,
}

impl<I: Iterator<Item = T>, T, E> Drop for AtWork<'_, I, T, E> {
    fn drop(&mut self) {
        let flow = self.flow;
        if self.role == Role::Caller || thread::panicking() {
            flow.stop();
        }
        if self.role == Role::Reader {
            flow.lock().readers -= 1;
            // Other readers may wait for room that nobody will make any more, and workers for pictures.
            flow.room.notify_all();
            flow.ready.notify_all();
        }
        flow.tell(None);
    }
}
