use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::journal::{Journal, JournalError, Place};
use super::record::Record;
use super::workers::{Job, Workers, look};
use super::{Facts, PictureCheck};
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
/// looked for again, and what is found now is added to it.
pub struct Checked<I, E> {
    examples: Option<I>,
    window: VecDeque<Slot<E>>,
    capacity: usize,
    bytes: usize,
    first: u64,
    workers: Workers,
    journal: Option<Journal>,
    /// Records of the block of the journal that is read, which proved true.
    confirmed: Vec<Record>,
    /// Whether records are added, since there are no more that earlier runs have written.
    is_adding: bool,
}

/// Bytes of pictures that are under way.
const BYTES: usize = 64 << 20;

/// An example, or an error, that was not handed out yet.
enum Slot<E> {
    Example {
        example: Arc<Example>,
        known: Option<(Record, Place)>,
        answer: Option<Record>,
    },
    Other(E),
}

impl<I, E> Checked<I, E>
where
    I: Iterator<Item = Result<Example, E>>,
    E: From<JournalError>,
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
        Ok(Self {
            examples: Some(examples),
            window: VecDeque::new(),
            capacity: (threads * 16).max(32),
            bytes: 0,
            first: 0,
            workers: Workers::new(check, threads)?,
            journal,
            confirmed: Vec::new(),
            is_adding: false,
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
                Some(Ok(example)) => match self.known() {
                    Err(error) => {
                        self.examples = None;
                        Slot::Other(error.into())
                    }
                    Ok(known) => {
                        self.bytes += size(&example);
                        let example = Arc::new(example);
                        self.workers.start(Job {
                            number: self.first + self.window.len() as u64,
                            example: Arc::clone(&example),
                            known: known.as_ref().map(|(record, _)| record.clone()),
                        });
                        Slot::Example {
                            example,
                            known,
                            answer: None,
                        }
                    }
                },
            };
            self.window.push_back(slot);
        }
    }

    fn known(&mut self) -> Result<Option<(Record, Place)>, JournalError> {
        match &mut self.journal {
            Some(journal) => journal.next_record(),
            None => Ok(None),
        }
    }

    /// Compares what was found with the journal, or adds it. Returns whether it was known.
    fn note(
        &mut self,
        known: Option<(Record, Place)>,
        found: &Record,
    ) -> Result<bool, JournalError> {
        let Some(journal) = &mut self.journal else {
            return Ok(false);
        };
        if let Some((record, place)) = known
            && !self.is_adding
        {
            if place.index == 0 {
                self.confirmed.clear();
            }
            if record == *found {
                self.confirmed.push(record);
                return Ok(true);
            }
            journal.cut(place, &self.confirmed);
        }
        self.is_adding = true;
        journal.push(found.clone()).map(|()| false)
    }
}

impl<I, E> Iterator for Checked<I, E>
where
    I: Iterator<Item = Result<Example, E>>,
    E: From<JournalError>,
{
    type Item = Result<CheckedExample, E>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill();
        while let Some(Slot::Example {
            example,
            known,
            answer: answer @ None,
        }) = self.window.front_mut()
        {
            let (number, record) = match self.workers.answers.recv() {
                Ok(answer) => answer,
                // No thread is left, which nothing that is known can cause.
                Err(_) => (
                    self.first,
                    look(
                        &self.workers.check,
                        example,
                        known.as_ref().map(|(record, _)| record),
                    ),
                ),
            };
            if number == self.first {
                *answer = Some(record);
                break;
            }
            let index = usize::try_from(number - self.first).ok();
            if let Some(Slot::Example { answer, .. }) =
                index.and_then(|index| self.window.get_mut(index))
            {
                *answer = Some(record);
            }
        }
        let slot = self.window.pop_front()?;
        self.first += 1;
        let (example, known, found) = match slot {
            Slot::Other(error) => return Some(Err(error)),
            Slot::Example { answer: None, .. } => return None,
            Slot::Example {
                example,
                known,
                answer: Some(found),
            } => (example, known, found),
        };
        // The thread has dropped its own before it answered.
        let example = Arc::unwrap_or_clone(example);
        self.bytes -= size(&example);
        let was_known = match self.note(known, &found) {
            Ok(was_known) => was_known,
            Err(error) => return Some(Err(error.into())),
        };
        Some(Ok(CheckedExample {
            example,
            facts: found.facts,
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
