//! One request after the other, each with the whole machine.

use std::ops::ControlFlow;

use captioning::{CaptionEvent, Language, Memory};

use crate::job::{Job, Unfinished};
use crate::parts::{score, send_captions, send_draft};
use crate::worker::Worker;

pub(crate) fn run(worker: &Worker) {
    while let Some(job) = worker.queue.take() {
        worker.serve(job, |job| answer(worker, job));
    }
}

fn answer(worker: &Worker, job: &mut Job) -> Result<(), Unfinished> {
    let captioner = &worker.captioner;
    let memory = captioner.encode(std::slice::from_ref(&job.request.image))?;
    job.request.forget_image();
    finish(worker, job, &memory, &job.request.languages_to_caption())
}

/// Captions in some languages, as many at a time as there is room for, then scores the given texts.
pub(crate) fn finish(
    worker: &Worker,
    job: &Job,
    memory: &Memory,
    languages: &[Language],
) -> Result<(), Unfinished> {
    let rows = job.request.rows_of_a_language();
    // At least one language at a time, whatever the limit.
    for languages in languages.chunks((worker.limits.rows / rows).max(1)) {
        job.check()?;
        worker.recorder.rows(languages.len() * rows);
        write(worker, job, memory, languages)?;
    }
    score(worker, job, memory)
}

/// Captions in some languages.
fn write(
    worker: &Worker,
    job: &Job,
    memory: &Memory,
    languages: &[Language],
) -> Result<(), Unfinished> {
    let mut going = Ok(());
    let mut sent: Vec<Language> = Vec::new();
    let mut steps = Steps::default();
    let written =
        worker
            .captioner
            .stream(memory.clone(), languages, &job.request.options, |event| {
                let place = |asked: Language| languages.iter().position(|one| *one == asked);
                match event {
                    CaptionEvent::Draft {
                        language, sequence, ..
                    } => {
                        if steps.is_new(place(language), sequence) {
                            worker.recorder.step();
                        }
                        if job.request.drafts {
                            send_draft(&job.updates, event);
                        }
                    }
                    // At once, since other languages may take longer.
                    CaptionEvent::Finished {
                        language, captions, ..
                    } => {
                        sent.push(language);
                        send_captions(worker, job, memory, language, Ok(captions.to_vec()));
                    }
                    _ => {}
                }
                going = job.check();
                match going {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            })?;
    going?;
    for one in written.into_iter().flatten() {
        if !sent.contains(&one.language) {
            send_captions(worker, job, memory, one.language, one.captions);
        }
    }
    Ok(())
}

/// Tells the steps of a search apart by its drafts, which come in the same order in every step.
#[derive(Default)]
struct Steps {
    last: Option<(Option<usize>, usize)>,
}

impl Steps {
    fn is_new(&mut self, language: Option<usize>, sequence: usize) -> bool {
        let this = (language, sequence);
        let last = self.last.replace(this);
        last.is_none_or(|last| this <= last)
    }
}
