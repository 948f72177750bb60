//! Many pictures: read ahead on threads, captioned in batches, one record for each.

mod batch_size;
mod flow;
mod prepare;
mod record;
mod worker;

use std::ops::ControlFlow;
use std::sync::mpsc;

use preprocess::image::RgbImage;
use preprocess::text::Language;
use rayon::ThreadPool;

pub use self::batch_size::{BatchSize, BatchSizeError, Plan};
use self::flow::Flow;
use self::prepare::Reader;
pub use self::record::{Failure, Record};
use self::worker::Worker;
use crate::{CaptionOptions, Captioner, Error};

/// Captions any number of pictures, with memory for a few of them.
///
/// Threads take pictures from an iterator, open, decode and resize them ahead of time. Workers encode what is ready in
/// batches and write captions in one decoding loop each, which others join as soon as some are complete. Each picture gives
/// one [`Record`], in the order of the iterator unless [`unordered`](Self::unordered); one that fails stops no other.
///
/// With packed weights, captions are bit for bit those that a picture gets alone, whatever the number of pictures at once
/// and of threads. With ordinary weights, the last digits of scores depend on the number of rows.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use burn::tensor::Device;
/// use captioning::{CaptionOptions, Captioner, Pipeline, open_image};
///
/// # let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
/// let captioner = Captioner::embedded(&Device::flex())?;
/// let languages = [captioner.language("en")?];
/// let options = CaptionOptions::new(captioner.generation_config().clone());
/// let pipeline = Pipeline::new(&captioner, &languages, &options)?;
///
/// let mut texts = Vec::new();
/// let pictures = std::fs::read_dir(samples)?.flatten().map(|entry| entry.path()).take(3);
/// pipeline.run(pictures, |path| open_image(path), |record| {
///     match &record.captions {
///         Ok(captions) => texts.push(captions[0].best().unwrap().text.clone()),
///         Err(failure) => eprintln!("{}: {failure}", record.picture.display()),
///     }
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(texts.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pipeline<'c> {
    captioner: &'c Captioner,
    languages: Vec<Language>,
    options: CaptionOptions,
    plan: Plan,
    ordered: bool,
}

impl<'c> Pipeline<'c> {
    /// A pipeline that captions pictures in each of the languages, on as many threads as rayon's current pool has and with
    /// [`BatchSize::Auto`].
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, or the options are invalid.
    pub fn new(
        captioner: &'c Captioner,
        languages: &[Language],
        options: &CaptionOptions,
    ) -> Result<Self, Error> {
        for language in languages {
            captioner.language(language.code)?;
        }
        captioner.validate_options(options)?;
        Ok(Self {
            captioner,
            languages: languages.to_vec(),
            options: options.clone(),
            plan: Plan::new(captioner, languages.len(), options, BatchSize::Auto),
            ordered: true,
        })
    }

    /// Sets how many pictures are captioned at once.
    #[must_use]
    pub fn with_batch_size(mut self, batch_size: BatchSize) -> Self {
        let languages = self.languages.len();
        self.plan = Plan::new(self.captioner, languages, &self.options, batch_size);
        self
    }

    /// Uses these numbers of workers, threads and pictures.
    #[must_use]
    pub fn with_plan(mut self, plan: Plan) -> Self {
        self.plan = plan.at_least_one();
        self
    }

    /// Gives records as soon as they are complete, in any order.
    #[must_use]
    pub fn unordered(mut self) -> Self {
        self.ordered = false;
        self
    }

    /// How pictures are distributed over threads.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// Captions all pictures of an iterator. `open` decodes one, on several threads at once; it may take out of the picture
    /// what it needs no more, such as the content of its file. `take` gets the records, on the calling thread, until it
    /// returns [`ControlFlow::Break`]; those under way are dropped then.
    ///
    /// At most [`Plan::window`] pictures are taken from the iterator whose records were not taken yet.
    ///
    /// # Errors
    /// [`Error::Threads`] if threads can't be started. What is wrong with a picture is in its record.
    ///
    /// # Panics
    /// If the iterator or `take` panics. A panic while a picture is opened or captioned is a [`Failure`] of that picture.
    pub fn run<T: Send, E: Send>(
        &self,
        pictures: impl Iterator<Item = T> + Send,
        open: impl Fn(&mut T) -> Result<RgbImage, E> + Sync,
        take: impl FnMut(Record<T, E>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let plan = self.plan;
        let readers = pools("prepare", plan.readers, 1)?;
        let workers = pools("caption", plan.workers, plan.threads)?;
        let (done, records) = mpsc::channel();
        let flow = Flow::new(pictures, plan, done);
        let read = || Reader::new(self.captioner, &open, &flow).run();
        let write = || {
            let worker = Worker::new(self.captioner, &self.languages, &self.options, &flow);
            worker.run(plan.pictures);
        };
        beside(&readers, &read, || {
            beside(&workers, &write, || {
                flow.deliver(&records, self.ordered, take);
            });
        });
        Ok(())
    }
}

/// Does `work` once in each pool, and `here` on this thread meanwhile.
fn beside(pools: &[ThreadPool], work: &(impl Fn() + Sync), here: impl FnOnce()) {
    match pools {
        [] => here(),
        [pool, others @ ..] => pool.in_place_scope(|scope| {
            scope.spawn(|_| work());
            beside(others, work, here);
        }),
    }
}

/// Pools of threads of their own, so that what runs in parallel elsewhere neither waits for them nor takes their work.
fn pools(name: &str, count: usize, threads: usize) -> Result<Vec<ThreadPool>, Error> {
    let pool = |number| {
        let name = format!("{name}-{number}");
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(move |thread| format!("{name}-{thread}"))
            .build()
            .map_err(Error::Threads)
    };
    (0..count).map(pool).collect()
}
