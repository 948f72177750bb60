use report::{Program, Progress};
use serde::Serialize;

/// The longest list of what was skipped. What comes later is counted.
const LISTED: usize = 1000;

/// What could not be evaluated.
#[derive(Default, Serialize)]
pub(crate) struct Skips {
    /// Rows and entries of the data that can't be used.
    pub(crate) rows: u64,
    /// Pictures without any caption.
    pub(crate) pictures: u64,
    /// Captions that are missing of other pictures, one for each language.
    pub(crate) captions: u64,
    /// What was skipped, and why.
    pub(crate) list: Vec<Skip>,
}

/// Something that was skipped.
#[derive(Serialize)]
pub(crate) struct Skip {
    pub(crate) what: String,
    pub(crate) reason: String,
}

impl Skips {
    pub(crate) fn count(&self) -> u64 {
        self.rows + self.pictures + self.captions
    }

    /// Names something that is skipped, once it is counted.
    pub(crate) fn name(&mut self, program: &Program, progress: &Progress, what: &str, why: &str) {
        if self.list.len() == LISTED {
            return;
        }
        progress.suspend(|| program.message(format_args!("skipped {what}: {why}")));
        self.list.push(Skip {
            what: what.to_owned(),
            reason: why.to_owned(),
        });
        if self.list.len() == LISTED {
            let note = "what else is skipped is counted and not named";
            progress.suspend(|| program.message(note));
        }
    }
}
