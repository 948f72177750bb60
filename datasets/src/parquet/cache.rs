//! The row groups that were read last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use super::rows::Group;
use crate::Error;

type Slot = Arc<OnceLock<Arc<Group>>>;

/// Row groups of all files of a data set. Threads that want one that is being read wait for it, while others are read.
#[derive(Debug)]
pub(crate) struct Cache {
    slots: Mutex<Slots>,
}

#[derive(Debug)]
struct Slots {
    capacity: usize,
    /// The one that was used last is last.
    used: VecDeque<((usize, usize), Slot)>,
    files: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            slots: Mutex::new(Slots {
                capacity: 2,
                used: VecDeque::new(),
                files: 0,
            }),
        }
    }
}

impl Cache {
    /// A number for one more file.
    pub(super) fn file(&self) -> usize {
        let mut slots = self.lock();
        slots.files += 1;
        slots.files
    }

    pub(super) fn keep(&self, count: usize) {
        let mut slots = self.lock();
        slots.capacity = slots.capacity.max(count);
    }

    pub(super) fn get(
        &self,
        key: (usize, usize),
        read: impl FnOnce() -> Result<Group, Error>,
    ) -> Result<Arc<Group>, Error> {
        let slot = self.slot(key);
        let mut failure = None;
        let group = slot.get_or_init(|| {
            Arc::new(read().unwrap_or_else(|error| {
                failure = Some(error);
                Group::default()
            }))
        });
        match failure {
            None => Ok(Arc::clone(group)),
            Some(error) => {
                // What could not be read this time is read anew next time.
                self.lock().used.retain(|(used, _)| *used != key);
                Err(error)
            }
        }
    }

    fn slot(&self, key: (usize, usize)) -> Slot {
        let mut slots = self.lock();
        let place = slots.used.iter().position(|(used, _)| *used == key);
        let entry = match place.and_then(|place| slots.used.remove(place)) {
            Some(entry) => entry,
            None => {
                while slots.used.len() >= slots.capacity {
                    slots.used.pop_front();
                }
                (key, Slot::default())
            }
        };
        let slot = Arc::clone(&entry.1);
        slots.used.push_back(entry);
        slot
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.slots
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
