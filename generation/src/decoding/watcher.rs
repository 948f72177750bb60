use super::item::Item;
use crate::{Event, Observer, PromptResult};

/// Tells the observer what happens, if there is one.
pub(super) struct Watcher<'o> {
    observer: Option<Box<Observer<'o>>>,
    has_ended: bool,
}

impl<'o> Watcher<'o> {
    pub(super) fn new(observer: Option<Box<Observer<'o>>>) -> Self {
        Self {
            observer,
            has_ended: false,
        }
    }

    /// Whether the observer has ended the generation. It is told nothing after that.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Tells of a prompt that is over.
    pub(super) fn result(&mut self, prompt: usize, result: &PromptResult) {
        self.tell(match result {
            Ok(hypotheses) => Event::Finished { prompt, hypotheses },
            Err(error) => Event::Failed { prompt, error },
        });
    }

    /// Tells how the texts of a prompt that goes on look now.
    pub(super) fn drafts(&mut self, item: &Item) {
        // While a prompt is still being fed, it has nothing new to show.
        if self.observer.is_none() || !item.has_begun() {
            return;
        }
        for draft in item.drafts() {
            let prompt = item.index();
            self.tell(Event::Draft { prompt, draft });
        }
    }

    fn tell(&mut self, event: Event<'_>) {
        if let Some(observer) = self.observer.as_mut().filter(|_| !self.has_ended) {
            self.has_ended = observer(event).is_break();
        }
    }
}
