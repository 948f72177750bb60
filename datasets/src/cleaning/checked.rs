use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::journal::{Journal, JournalError};
use super::workers::{Answer, Job, Workers};
use super::{CheckError, Facts, PictureCheck};
use crate::{Example, ImageSource};

/// An example and what the check of its picture found.
#[derive(Clone, Debug)]
pub struct CheckedExample {
    /// The example.
    pub example: Example,
    /// What was found.
    pub facts: Facts,
    /// Whether an earlier run had found it, so that the picture was not decoded now.
    pub was_known: bool,
}

/// Examples whose pictures are checked ahead on threads, in the order in which they come.
///
/// At most 16 examples for each thread are under way (32 at least), and of pictures in memory at most 64 MiB or one.
/// Errors among the examples keep their place and are passed on. With a [`Journal`], what earlier runs have found is not
/// looked for again, and what is found now is added to it. A [`CheckError`] says that the machine lacks something, so it is
/// best to stop: the picture and those that follow are looked at by the next run.
pub struct Checked<I, E> {
    examples: Option<I>,
    window: VecDeque<Slot<E>>,
    capacity: usize,
    bytes: usize,
    first: u64,
    workers: Workers,
    journal: Option<Journal>,
}

/// Bytes of pictures that are under way.
const BYTES: usize = 64 << 20;

/// An example, or an error, that was not handed out yet.
enum Slot<E> {
    Example {
        example: Arc<Example>,
        answer: Option<Answer>,
    },
    Other(E),
}

impl<I, E> Checked<I, E>
where
    I: Iterator<Item = Result<Example, E>>,
    E: From<JournalError> + From<CheckError>,
{
    /// Checks the pictures of examples on this many threads, at least one.
    ///
    /// # Errors
    /// An error of the operating system if a thread can't be started.
    pub fn new(
        examples: I,
        check: &PictureCheck,
        threads: usize,
        journal: Option<Journal>,
    ) -> io::Result<Self> {
        let threads = threads.max(1);
        let known = journal.as_ref().map(|journal| Arc::clone(&journal.known));
        Ok(Self {
            examples: Some(examples),
            window: VecDeque::new(),
            capacity: (threads * 16).max(32),
            bytes: 0,
            first: 0,
            workers: Workers::new(check, known, threads)?,
            journal,
        })
    }

    /// Writes to the journal what is still in memory. To be called at the end, and before a pause.
    ///
    /// # Errors
    /// [`JournalError`] if it can't be written.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.journal.as_mut().map_or(Ok(()), Journal::flush)
    }

    /// Takes examples until enough are under way.
    fn fill(&mut self) {
        while self.window.len() < self.capacity && (self.bytes < BYTES || self.window.is_empty()) {
            let slot = match self.examples.as_mut().and_then(Iterator::next) {
                None => {
                    self.examples = None;
                    return;
                }
                Some(Err(error)) => Slot::Other(error),
                Some(Ok(example)) => {
                    self.bytes += size(&example);
                    let example = Arc::new(example);
                    self.workers.start(Job {
                        number: self.first + self.window.len() as u64,
                        example: Arc::clone(&example),
                    });
                    Slot::Example {
                        example,
                        answer: None,
                    }
                }
            };
            self.window.push_back(slot);
        }
    }
}

impl<I, E> Iterator for Checked<I, E>
where
    I: Iterator<Item = Result<Example, E>>,
    E: From<JournalError> + From<CheckError>,
{
    type Item = Result<CheckedExample, E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill();
        while let Some(Slot::Example {
            example,
            answer: waiting @ None,
        }) = self.window.front_mut()
        {
            let (number, answer) = match self.workers.answers.recv() {
                Ok(answer) => answer,
                // No thread is left, which nothing that is known can cause.
                Err(_) => (self.first, self.workers.look(&example.image)),
            };
            if number == self.first {
                *waiting = Some(answer);
                break;
            }
            let index = usize::try_from(number - self.first).ok();
            if let Some(Slot::Example { answer: slot, .. }) =
                index.and_then(|index| self.window.get_mut(index))
            {
                *slot = Some(answer);
            }
        }
        let slot = self.window.pop_front()?;
        self.first += 1;
        let (example, answer) = match slot {
            Slot::Other(error) => return Some(Err(error)),
            Slot::Example { answer: None, .. } => return None,
            Slot::Example {
                example,
                answer: Some(answer),
            } => (example, answer),
        };
        // The thread has dropped its own before it answered.
        let example = Arc::unwrap_or_clone(example);
        self.bytes -= size(&example);
        let (record, was_known) = match answer {
            Ok(found) => found,
            Err(error) => return Some(Err(error.into())),
        };
        let facts = record.facts.clone();
        if let Some(journal) = self.journal.as_mut().filter(|_| !was_known)
            && let Err(error) = journal.push(record)
        {
            return Some(Err(error.into()));
        }
        Some(Ok(CheckedExample {
            example,
            facts,
            was_known,
        }))
    }
}

fn size(example: &Example) -> usize {
    match &example.image {
        ImageSource::File(_) => 0,
        ImageSource::Bytes { bytes, .. } => bytes.len(),
    }
}

#[cfg(test)]
mod tests;
