//! Requests share the steps of one decoding loop: each joins between two steps and leaves when it is over.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use captioning::{
    Call, CaptionDecoding, CaptionEvent, CaptionsEnded, GenerateError, Language, Memory, RgbImage,
};

use crate::Error;
use crate::job::{Job, Unfinished};
use crate::one_at_a_time::finish;
use crate::parts::{score, send_captions, send_draft};
use crate::worker::{Worker, guarded};

/// Pictures that are encoded before the captions under way make their next step. More would take a little less time for
/// each picture, but keep the others waiting.
const ENCODED_AT_ONCE: usize = 4;

/// The loop, and the requests that the work has begun on.
struct Batch<'w> {
    worker: &'w Worker,
    decoding: CaptionDecoding<'w, 'w>,
    /// In the order in which they came.
    running: Vec<Running>,
    /// A request for which there was no room.
    next: Option<Job>,
}

struct Running {
    job: Job,
    begun: Instant,
    memory: Memory,
    /// Languages that wait for room in the loop.
    left: VecDeque<Language>,
    /// Languages in the loop, in calls of those for which there was room at once.
    calls: Vec<(Call, Vec<Language>)>,
    /// Whether it can't join others, because it has another shortlist for example.
    needs_empty_loop: bool,
    /// Why it can't go on.
    failed: Option<Unfinished>,
}

pub(crate) fn run(worker: &Worker) {
    let mut batch = Batch {
        worker,
        decoding: CaptionDecoding::new(&worker.captioner),
        running: Vec::new(),
        next: None,
    };
    while let Some(arrived) = batch.arrived() {
        batch.begin(arrived);
        batch.join();
        batch.step();
        batch.end_those_that_are_over();
    }
}

impl Batch<'_> {
    /// The requests that there is room for. If nothing is under way, waits for one; `None` if there will be no more. Nobody
    /// waits for others, since they can join later.
    fn arrived(&mut self) -> Option<Vec<Job>> {
        let Worker { queue, limits, .. } = self.worker;
        if self.running.is_empty() && self.next.is_none() {
            self.next = Some(queue.take()?);
        }
        // Those that came before go first.
        let running = self.running.iter();
        let mut rows: usize = running.map(|one| one.rows_left() + one.rows_joined()).sum();
        let mut arrived = Vec::new();
        while arrived.len() < ENCODED_AT_ONCE && rows < limits.rows {
            let next = self.next.take();
            let Some(job) = next.or_else(|| queue.try_take()) else {
                break;
            };
            if let Err(unfinished) = job.check() {
                self.worker.recorder.end_unbegun(job, unfinished);
                continue;
            }
            let wanted = job.request.rows();
            if rows > 0 && rows + wanted > limits.rows {
                self.next = Some(job);
                break;
            }
            rows += wanted;
            arrived.push(job);
        }
        Some(arrived)
    }

    /// Encodes the pictures of requests, together if that succeeds.
    fn begin(&mut self, mut arrived: Vec<Job>) {
        let begun = Instant::now();
        for job in &arrived {
            self.worker.recorder.begin(job);
        }
        let taken = arrived.iter_mut().map(|job| job.request.take_image());
        let (images, holds): (Vec<RgbImage>, Vec<_>) = taken.unzip();
        let encoded = match images.len() {
            0 | 1 => None,
            _ => guarded(|| Ok(self.worker.captioner.encode(&images)?)).ok(),
        };
        let arrived = arrived.into_iter().zip(images).zip(holds).enumerate();
        for (index, ((job, image), hold)) in arrived {
            let memory = guarded(|| {
                let memory = match &encoded {
                    Some(all) => all.hidden.clone().narrow(0, index, 1).into(),
                    None => self.worker.captioner.encode(&[image])?,
                };
                drop(hold);
                job.check()?;
                Ok(memory)
            });
            match memory {
                Err(unfinished) => self.worker.end(job, Err(unfinished), begun),
                Ok(memory) => self.running.push(Running {
                    left: job.request.languages_to_caption().into(),
                    job,
                    begun,
                    memory,
                    calls: Vec::new(),
                    needs_empty_loop: false,
                    failed: None,
                }),
            }
        }
    }

    /// Lets languages for which there is room join the loop.
    fn join(&mut self) {
        for index in 0..self.running.len() {
            let joined = self.join_one(index);
            let running = &mut self.running[index];
            match joined {
                Ok(()) => {}
                Err(Unfinished::Failed(Error::Captioning(captioning::Error::Generate(
                    GenerateError::CannotJoin,
                )))) => running.needs_empty_loop = true,
                Err(unfinished) => {
                    let is_whole =
                        !matches!(&unfinished, Unfinished::Failed(Error::Panicked { .. }));
                    running.left.clear();
                    running.failed = Some(unfinished);
                    if !is_whole {
                        self.begin_again();
                        return;
                    }
                }
            }
            // Those behind it would keep it from its turn.
            if self.running[index].needs_empty_loop && !self.running[index].left.is_empty() {
                return;
            }
        }
    }

    fn join_one(&mut self, index: usize) -> Result<(), Unfinished> {
        let joined: usize = self.running.iter().map(Running::rows_joined).sum();
        let (worker, decoding) = (self.worker, &mut self.decoding);
        let Running {
            job,
            memory,
            left,
            calls,
            needs_empty_loop,
            ..
        } = &mut self.running[index];
        if *needs_empty_loop && !decoding.is_empty() {
            return Ok(());
        }
        let rows = job.request.rows_of_a_language();
        let room = worker.limits.rows.saturating_sub(joined) / rows;
        // One language at least makes progress, whatever the limit.
        let count = room.max(usize::from(decoding.is_empty())).min(left.len());
        if count == 0 {
            return Ok(());
        }
        let languages: Vec<Language> = left.iter().copied().take(count).collect();
        let (memory, options) = (memory.clone(), &job.request.options);
        let call = match job.request.drafts {
            false => guarded(|| Ok(decoding.add(memory, &languages, options)?)),
            true => {
                let updates = Arc::clone(&job.updates);
                let observer = move |event: CaptionEvent<'_>| {
                    send_draft(&updates, event);
                    ControlFlow::Continue(())
                };
                guarded(|| Ok(decoding.add_observed(memory, &languages, options, observer)?))
            }
        };
        calls.push((call?, languages));
        left.drain(..count);
        Ok(())
    }

    /// Makes a step. If that fails, everything under way is done again, one request after the other, so that only
    /// those that are at fault fail.
    fn step(&mut self) {
        if self.decoding.is_empty() {
            return;
        }
        let recorder = &self.worker.recorder;
        recorder.rows(self.decoding.rows());
        match guarded(|| Ok(self.decoding.step()?)) {
            Ok(ended) => {
                recorder.step();
                ended.into_iter().for_each(|one| self.send(one));
            }
            Err(_) => {
                self.decoding = CaptionDecoding::new(&self.worker.captioner);
                for mut running in std::mem::take(&mut self.running) {
                    let result = guarded(|| running.finish_alone(self.worker));
                    self.worker.end(running.job, result, running.begun);
                }
            }
        }
    }

    /// Sends captions that are complete.
    fn send(&mut self, ended: CaptionsEnded) {
        let of_call =
            |running: &&mut Running| running.calls.iter().any(|(call, _)| *call == ended.call);
        let Some(running) = self.running.iter_mut().find(of_call) else {
            return;
        };
        let language = ended.captions.language;
        for (_, languages) in running
            .calls
            .iter_mut()
            .filter(|(call, _)| *call == ended.call)
        {
            languages.retain(|one| *one != language);
        }
        running.calls.retain(|(_, languages)| !languages.is_empty());
        let (job, memory, captions) = (&running.job, &running.memory, ended.captions.captions);
        let sent = guarded(|| {
            send_captions(self.worker, job, memory, language, captions);
            Ok(())
        });
        if let Err(unfinished) = sent {
            running.failed = Some(unfinished);
        }
    }

    /// Ends the requests that are answered, that nobody waits for any more or that are too late.
    fn end_those_that_are_over(&mut self) {
        let mut index = 0;
        while let Some(running) = self.running.get_mut(index) {
            let checked = match running.failed.take() {
                Some(unfinished) => Err(unfinished),
                None => running.job.check(),
            };
            let result = match checked {
                Ok(()) if !(running.calls.is_empty() && running.left.is_empty()) => {
                    index += 1;
                    continue;
                }
                Ok(()) => guarded(|| score(self.worker, &running.job, &running.memory)),
                Err(unfinished) => Err(unfinished),
            };
            self.leave(index, result);
        }
        if self.running.is_empty() {
            self.worker.recorder.rows(0);
        }
    }

    /// Ends a request, with what it has in the loop.
    fn leave(&mut self, index: usize, result: Result<(), Unfinished>) {
        let running = self.running.remove(index);
        for (call, _) in &running.calls {
            if guarded(|| Ok(self.decoding.cancel(*call)?)).is_err() {
                // The next step finds the loop empty, and those under way in it are begun again.
                self.begin_again();
            }
        }
        self.worker.end(running.job, result, running.begun);
    }

    /// After a failure that has emptied the loop.
    fn begin_again(&mut self) {
        self.decoding = CaptionDecoding::new(&self.worker.captioner);
        for running in &mut self.running {
            for (_, languages) in running.calls.drain(..).rev() {
                for language in languages.into_iter().rev() {
                    running.left.push_front(language);
                }
            }
        }
    }
}

impl Running {
    /// Rows for which there was no room yet.
    fn rows_left(&self) -> usize {
        self.left.len() * self.job.request.rows_of_a_language()
    }

    /// Rows in the loop, as many as there are at most: a search begins with one row for each language.
    fn rows_joined(&self) -> usize {
        let languages = self.calls.iter().map(|(_, languages)| languages.len());
        languages.sum::<usize>() * self.job.request.rows_of_a_language()
    }

    /// Does what is left without the others.
    fn finish_alone(&mut self, worker: &Worker) -> Result<(), Unfinished> {
        let under_way = self.calls.drain(..).flat_map(|(_, languages)| languages);
        let languages: Vec<Language> = under_way.chain(self.left.drain(..)).collect();
        finish(worker, &self.job, &self.memory, &languages)
    }
}
