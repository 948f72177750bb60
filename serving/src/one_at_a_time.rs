//! One request after the other, each with the whole machine.

use std::ops::ControlFlow;

use captioning::{Caption, CaptionEvent, Language, Memory};

use crate::answer::{Update, WrittenCaption};
use crate::job::{Job, Unfinished};
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
    let languages = job.request.distinct_languages();
    if job.request.captions {
        let rows = job.request.rows_of_a_language();
        // At least one language at a time, whatever the limit.
        for languages in languages.chunks((worker.limits.rows / rows).max(1)) {
            job.check()?;
            worker.recorder.rows(languages.len() * rows);
            write(worker, job, &memory, languages)?;
        }
    }
    let texts: Vec<&str> = job.request.texts.iter().map(String::as_str).collect();
    for language in languages.into_iter().filter(|_| !texts.is_empty()) {
        job.check()?;
        let config = &job.request.options.generation;
        let scores = captioner.score(memory.clone(), language, &texts, config);
        // There is one picture.
        let scores = scores.map(|images| images.into_iter().flatten().collect());
        job.updates.send(Update::Scores { language, scores });
    }
    Ok(())
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
                        language,
                        sequence,
                        settled,
                        draft,
                        ..
                    } => {
                        if steps.is_new(place(language), sequence) {
                            worker.recorder.step();
                        }
                        if job.request.drafts {
                            job.updates.send(Update::Draft {
                                language,
                                sequence,
                                settled: settled.to_owned(),
                                draft: draft.to_owned(),
                            });
                        }
                    }
                    // At once, since other languages may take longer.
                    CaptionEvent::Finished {
                        language, captions, ..
                    } => {
                        sent.push(language);
                        send(worker, job, memory, language, Ok(captions.to_vec()));
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
            send(worker, job, memory, one.language, one.captions);
        }
    }
    Ok(())
}

/// Sends the captions in a language, with the maps that were asked for.
fn send(
    worker: &Worker,
    job: &Job,
    memory: &Memory,
    language: Language,
    captions: Result<Vec<Caption>, captioning::Error>,
) {
    let with_attention = |caption: Caption| {
        worker.recorder.tokens(caption.token_log_probs.len());
        let attention = match job.request.attention {
            true => worker.captioner.attention(memory, 0, &caption, None)?,
            false => Vec::new(),
        };
        Ok(WrittenCaption { caption, attention })
    };
    let captions = captions.and_then(|all| all.into_iter().map(with_attention).collect());
    job.updates.send(Update::Captions { language, captions });
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
