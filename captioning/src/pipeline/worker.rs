//! One decoding loop, which pictures join in batches.

use std::time::{Duration, Instant};

use preprocess::image::PixelValues;
use preprocess::text::Language;
use vision_encoder_decoder::Memory;

use super::flow::{Flow, Prepared, Role};
use super::prepare::guarded;
use super::{Failure, Record};
use crate::{Call, CaptionDecoding, CaptionOptions, Captioner, CaptionsEnded, LanguageCaptions};

/// In how many parts a batch is filled again. Pictures that join together are encoded together, so a part is more than one
/// picture of a large batch, and less than the whole, so that few rows stay empty.
const PARTS: usize = 4;

/// A thread that encodes and captions pictures.
pub(super) struct Worker<'a, I: Iterator<Item = T>, T, E> {
    captioner: &'a Captioner,
    languages: &'a [Language],
    options: &'a CaptionOptions,
    flow: &'a Flow<I, T, E>,
    decoding: CaptionDecoding<'a, 'a>,
    running: Vec<Running<T>>,
}

/// A picture that is being captioned.
struct Running<T> {
    index: u64,
    picture: T,
    /// Its captions in the loop, if it could join it.
    call: Option<Call>,
    /// For the case that the loop fails.
    memory: Memory,
    captions: Vec<LanguageCaptions>,
    encode: Duration,
    begun: Instant,
}

impl<'a, I: Iterator<Item = T>, T, E> Worker<'a, I, T, E> {
    pub(super) fn new(
        captioner: &'a Captioner,
        languages: &'a [Language],
        options: &'a CaptionOptions,
        flow: &'a Flow<I, T, E>,
    ) -> Self {
        Self {
            captioner,
            languages,
            options,
            flow,
            decoding: CaptionDecoding::new(captioner),
            running: Vec::new(),
        }
    }

    /// Captions what the readers have prepared, up to `most` pictures at once.
    pub(super) fn run(mut self, most: usize) {
        let _at_work = self.flow.at_work(Role::Worker);
        while !self.flow.is_stopped() {
            let is_idle = self.running.is_empty();
            let room = most - self.running.len();
            if is_idle || room >= most.div_ceil(PARTS) {
                let joining = self.flow.prepared(room, is_idle);
                if is_idle && joining.is_empty() {
                    return;
                }
                self.begin(joining);
            }
            self.step();
        }
    }

    /// Encodes pictures, together if that succeeds, and lets them join the loop.
    fn begin(&mut self, pictures: Vec<Prepared<T>>) {
        if pictures.is_empty() {
            return;
        }
        let begun = Instant::now();
        if let Ok(memory) = self.encode(&pictures) {
            let share = begun.elapsed() / u32::try_from(pictures.len()).unwrap_or(u32::MAX);
            self.join(pictures, &memory, share);
            return;
        }
        // Only those that are at fault shall fail.
        for picture in pictures {
            let begun = Instant::now();
            match self.encode(std::slice::from_ref(&picture)) {
                Ok(memory) => self.join(vec![picture], &memory, begun.elapsed()),
                Err(failure) => self.flow.finish(Record {
                    index: picture.index,
                    picture: picture.picture,
                    captions: Err(failure),
                    encode: picture.prepare + begun.elapsed(),
                    generate: Duration::ZERO,
                }),
            }
        }
    }

    fn encode(&self, pictures: &[Prepared<T>]) -> Result<Memory, Failure<E>> {
        let pixels: Vec<&PixelValues> = pictures.iter().map(|one| &one.pixels).collect();
        guarded(|| {
            let memory = self.captioner.encode_prepared(&pixels);
            memory.map_err(Failure::Caption)
        })
    }

    /// Lets pictures join the loop. `encode` is the time that each was encoded for.
    fn join(&mut self, pictures: Vec<Prepared<T>>, memory: &Memory, encode: Duration) {
        for (image, picture) in pictures.into_iter().enumerate() {
            let memory: Memory = memory.hidden.clone().narrow(0, image, 1).into();
            let begun = Instant::now();
            // A call for each: how many rows attend to an image decides on the order of sums, and in one call those of another
            // image can change that number.
            let call = guarded(|| {
                let call = (self.decoding).add(memory.clone(), self.languages, self.options);
                call.map_err(Failure::<E>::Caption)
            });
            let running = Running {
                index: picture.index,
                picture: picture.picture,
                call: call.as_ref().ok().copied(),
                memory,
                captions: Vec::with_capacity(self.languages.len()),
                encode: picture.prepare + encode,
                begun,
            };
            match call {
                Ok(_) => self.running.push(running),
                Err(failure) => {
                    self.finish_alone(running);
                    if matches!(failure, Failure::Panicked { .. }) {
                        self.begin_again();
                    }
                }
            }
        }
    }

    /// Makes a step for all pictures in the loop.
    fn step(&mut self) {
        if self.languages.is_empty() {
            // Such pictures are complete as they are.
            for running in std::mem::take(&mut self.running) {
                self.finish(running, Ok(Vec::new()));
            }
        }
        if self.decoding.is_empty() {
            return;
        }
        let step = || self.decoding.step().map_err(Failure::<E>::Caption);
        match guarded(step) {
            Ok(ended) => ended.into_iter().for_each(|one| self.add(one)),
            Err(_) => self.begin_again(),
        }
    }

    /// Adds captions to those of their picture, and gives its record if they are the last.
    fn add(&mut self, ended: CaptionsEnded) {
        let is_of = |one: &Running<T>| one.call == Some(ended.call);
        let Some(place) = self.running.iter().position(is_of) else {
            return;
        };
        self.running[place].captions.push(ended.captions);
        if self.running[place].captions.len() < self.languages.len() {
            return;
        }
        let mut running = self.running.swap_remove(place);
        let order =
            |one: &LanguageCaptions| self.languages.iter().position(|two| *two == one.language);
        running.captions.sort_by_key(order);
        let captions = std::mem::take(&mut running.captions);
        self.finish(running, Ok(captions));
    }

    /// After a failure of the loop: captions each picture in it alone, so that only those that are at fault fail.
    fn begin_again(&mut self) {
        self.decoding = CaptionDecoding::new(self.captioner);
        for running in std::mem::take(&mut self.running) {
            self.finish_alone(running);
        }
    }

    fn finish_alone(&self, running: Running<T>) {
        let captions = guarded(|| {
            let memory = running.memory.clone();
            let captions = self
                .captioner
                .caption_with(memory, self.languages, self.options);
            let captions = captions.map_err(Failure::Caption)?;
            Ok(captions.into_iter().flatten().collect())
        });
        self.finish(running, captions);
    }

    fn finish(&self, running: Running<T>, captions: Result<Vec<LanguageCaptions>, Failure<E>>) {
        self.flow.finish(Record {
            index: running.index,
            picture: running.picture,
            captions,
            encode: running.encode,
            generate: running.begun.elapsed(),
        });
    }
}
