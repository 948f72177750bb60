use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datasets::Skipped;
use datasets::cleaning::{
    Checked, CheckedExample, Cleaner, CleaningConfig, Dropped, Kept, Reason, Split, Tally, Verdict,
};
use report::{Program, Progress, escaped, name};
use whole_files::write_new;

use crate::copies::{Copies, CopyError};
use crate::error::CleanError;
use crate::input::{Input, Passed};
use crate::output::{DROPPED, Output, PAGE, REPORT, TRAIN, VALIDATION};
use crate::page::page;
use crate::samples::{Samples, image_name};
use crate::summary::{Summary, number};
use crate::table::{self, Table};

/// A run over a data set.
pub(crate) struct Work<'a> {
    pub(crate) program: &'a Program,
    pub(crate) rules: &'a CleaningConfig,
    pub(crate) input: &'a Input,
    pub(crate) threads: usize,
    pub(crate) copy_images: bool,
    pub(crate) inputs: Vec<String>,
    pub(crate) stop: Arc<AtomicBool>,
}

/// How a run ended.
pub(crate) enum End {
    /// All files are written.
    Written(Tally),
    /// It was asked to stop.
    Stopped { pictures: u64 },
}

/// What a run writes.
struct Results {
    train: Table,
    validation: Table,
    dropped: Table,
    copies: Copies,
    tally: Tally,
    samples: Samples,
}

const COLUMNS: [&str; 4] = ["image_file", "caption", "url", "lang_id"];
const DROPPED_COLUMNS: [&str; 7] = [
    "file",
    "row",
    "image_file",
    "lang_id",
    "caption",
    "reason",
    "detail",
];
const BAR: &str = "{bar:30} {pos}/{len} pictures, {per_sec}, {eta} left";

impl Work<'_> {
    /// Cleans all examples and writes the files.
    pub(crate) fn run(&self, mut cleaner: Cleaner, output: Output) -> Result<End, CleanError> {
        // First, since it shows that the folder is ours.
        let journal = output.journal(cleaner.picture_check())?;
        let mut results = self.results(&output)?;
        if !self.survey(&mut cleaner)? {
            return Ok(End::Stopped { pictures: 0 });
        }
        let examples = self.input.examples();
        let progress = self.progress();
        let check = cleaner.picture_check().clone();
        let mut all = Checked::new(examples, &check, self.threads, Some(journal))
            .map_err(CleanError::Thread)?;
        let mut known = 0u64;
        for checked in all.by_ref() {
            match checked {
                Ok(CheckedExample {
                    example,
                    facts,
                    was_known,
                }) => {
                    known += u64::from(was_known);
                    results.add(cleaner.decide(example, facts))?;
                    progress.advance();
                }
                Err(Passed::Skipped(skipped)) => results.skip(&skipped)?,
                Err(Passed::Failed(error)) => {
                    progress.finish();
                    // The first error is the one to report.
                    let _ = all.flush();
                    return Err(error);
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                progress.finish();
                all.flush()?;
                return Ok(End::Stopped {
                    pictures: results.tally.examples,
                });
            }
        }
        progress.finish();
        all.flush()?;
        if known > 0 {
            self.program.message(format_args!(
                "{} of {} pictures were checked by an earlier run",
                number(known),
                number(results.tally.examples)
            ));
        }
        let (tally, copies) = results.finish(output.staged(), self)?;
        output.commit()?;
        // Only now, since the tables of an earlier run named them.
        copies.delete_others()?;
        Ok(End::Written(tally))
    }

    /// Lets the cleaner know the languages of images whose rows stand apart, if it has to. Returns whether it was not stopped.
    fn survey(&self, cleaner: &mut Cleaner) -> Result<bool, CleanError> {
        let examples = self
            .rules
            .require_all_languages
            .then(|| self.input.scattered());
        let Some(examples) = examples.flatten() else {
            return Ok(true);
        };
        let progress = match stderr().is_terminal() {
            true => Progress::spinner(),
            false => Progress::hidden(),
        };
        progress.set_message("looking for the languages of images");
        for example in examples {
            cleaner.survey(&example?);
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
        }
        progress.finish();
        Ok(!self.stop.load(Ordering::Relaxed))
    }

    /// The content of report.json.
    pub(crate) fn summary<'a>(&'a self, tally: &'a Tally) -> Summary<'a> {
        Summary {
            inputs: self.inputs.clone(),
            rules: self.rules,
            tally,
        }
    }

    fn results(&self, output: &Output) -> Result<Results, CleanError> {
        let staged = output.staged();
        Ok(Results {
            train: Table::new(staged.join(TRAIN), &COLUMNS)?,
            validation: Table::new(staged.join(VALIDATION), &COLUMNS)?,
            dropped: Table::new(staged.join(DROPPED), &DROPPED_COLUMNS)?,
            copies: Copies::new(&output.folder, self.copy_images),
            tally: Tally::default(),
            samples: Samples::default(),
        })
    }

    /// A bar whose length is counted first, if there is somebody to see it.
    fn progress(&self) -> Progress {
        if !stderr().is_terminal() {
            return Progress::hidden();
        }
        let counting = Progress::spinner();
        counting.set_message("counting");
        let length = self.input.count();
        counting.finish();
        match length {
            Some(length) => Progress::bar(length, BAR),
            None => Progress::bar(0, "{pos} pictures, {per_sec}"),
        }
    }
}

impl Results {
    /// Writes what became of an example.
    fn add(&mut self, verdict: Verdict) -> Result<(), CleanError> {
        let verdict = match verdict {
            Verdict::Kept(kept) => self.keep(kept)?,
            dropped => dropped,
        };
        let verdict = &verdict;
        self.tally.add(verdict);
        self.samples.add(verdict)?;
        let (example, dropped_captions) = match verdict {
            Verdict::Kept(kept) => (&kept.example, &kept.dropped_captions),
            Verdict::Dropped(dropped) => (&dropped.example, &dropped.dropped_captions),
        };
        if matches!(verdict, Verdict::Kept(_)) && dropped_captions.is_empty() {
            return Ok(());
        }
        let (file, row) = (name(&example.origin.file), example.origin.row.to_string());
        let image = image_name(&example.image);
        let mut drop = |language: &str, caption: &str, reason: &Reason| {
            let (caption, detail) = (escaped(caption), escaped(&reason.detail));
            self.dropped.row(&[
                &file,
                &row,
                &image,
                language,
                &caption,
                reason.rule,
                &detail,
            ])
        };
        if let Verdict::Dropped(dropped) = verdict {
            dropped
                .reasons
                .iter()
                .try_for_each(|reason| drop("", "", reason))?;
        }
        for dropped in dropped_captions {
            let (language, text) = (dropped.caption.language.code, &dropped.caption.text);
            dropped
                .reasons
                .iter()
                .try_for_each(|reason| drop(language, text, reason))?;
        }
        Ok(())
    }

    /// Writes what is kept. What can't be copied after all is dropped.
    fn keep(&mut self, kept: Kept) -> Result<Verdict, CleanError> {
        let place = self
            .copies
            .place(&kept.example.image, kept.picture.identity);
        let place = match place {
            Ok(place) => place,
            Err(CopyError::Failed(error)) => return Err(error),
            Err(CopyError::Source(unusable)) => {
                return Ok(Verdict::Dropped(Dropped {
                    reasons: vec![Reason::new(unusable.problem.rule(), unusable.message)],
                    example: kept.example,
                    dropped_captions: kept.dropped_captions,
                }));
            }
        };
        let table = match kept.split {
            Split::Train => &mut self.train,
            Split::Validation => &mut self.validation,
        };
        let url = table::url(kept.example.url.as_deref().unwrap_or_default());
        for caption in &kept.example.captions {
            table.row(&[&place, &caption.text, &url, caption.language.code])?;
        }
        Ok(Verdict::Kept(kept))
    }

    /// Writes a row that could not be read.
    fn skip(&mut self, skipped: &Skipped) -> Result<(), CleanError> {
        self.tally.add_skipped(&skipped.reason.to_string());
        self.samples.add_skipped(skipped);
        let detail = format!("{}: {}", skipped.reason, skipped.detail);
        self.dropped.row(&[
            &name(&skipped.origin.file),
            &skipped.origin.row.to_string(),
            &name(Path::new(skipped.image.as_deref().unwrap_or_default())),
            "",
            "",
            "unreadable_row",
            &escaped(&detail),
        ])
    }

    /// Completes the files. Returns the numbers, and the copies that they are about.
    fn finish(self, staged: &Path, work: &Work<'_>) -> Result<(Tally, Copies), CleanError> {
        let Self {
            train,
            validation,
            dropped,
            tally,
            samples,
            copies,
        } = self;
        for table in [train, validation, dropped] {
            table.finish()?;
        }
        let summary = work.summary(&tally);
        let mut json = serde_json::to_string_pretty(&summary).unwrap_or_default();
        json.push('\n');
        for (file, content) in [(REPORT, json), (PAGE, page(&summary, &samples))] {
            let path = staged.join(file);
            write_new(&path, content.as_bytes()).map_err(CleanError::write(path))?;
        }
        Ok((tally, copies))
    }
}
