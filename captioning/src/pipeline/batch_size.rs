use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use crate::{CaptionOptions, Captioner};

/// How many pictures are captioned at once, in all. As text: `auto` or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchSize {
    /// As many as are fast and fit memory, by the size of the model and the number of threads.
    #[default]
    Auto,
    /// This many.
    Pictures(NonZeroUsize),
}

/// A text is no [`BatchSize`].
#[derive(Debug, thiserror::Error)]
#[error("expected auto or a number of pictures from 1, found {found:?}")]
pub struct BatchSizeError {
    found: String,
}

impl FromStr for BatchSize {
    type Err = BatchSizeError;

    fn from_str(text: &str) -> Result<Self, BatchSizeError> {
        match text {
            "auto" => Ok(Self::Auto),
            number => number
                .parse()
                .map(Self::Pictures)
                .map_err(|_| BatchSizeError {
                    found: number.chars().take(80).collect(),
                }),
        }
    }
}

impl fmt::Display for BatchSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Pictures(number) => number.fmt(formatter),
        }
    }
}

/// How pictures are distributed over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Decoding loops that run side by side.
    pub workers: usize,
    /// Threads of each of them.
    pub threads: usize,
    /// Pictures that a loop has at once.
    pub pictures: usize,
    /// Threads that open and prepare pictures.
    pub readers: usize,
    /// Pictures that are prepared before a loop has room for them.
    pub ahead: usize,
    /// Pictures that are taken from the iterator before the first of them is delivered.
    pub window: usize,
}

/// The largest weights that two loops can read side by side without waiting for memory: they stay in the caches.
const SMALL_MODEL: u64 = 64 << 20;

/// Rows at which a step of a loop is as fast as it gets for each of them.
const ROWS: usize = 64;

/// Pictures at which encoding is as fast as it gets for each of them.
const PICTURES: usize = 32;

/// The memory that the rows of all loops may take, where the system does not say what it has.
const MEMORY: u64 = 2 << 30;

/// Pixel values that are prepared ahead take no more than this.
const PIXELS_AHEAD: u64 = 512 << 20;

impl Plan {
    /// The distribution of a batch size over the threads of rayon's current pool.
    pub(super) fn new(
        captioner: &Captioner,
        languages: usize,
        options: &CaptionOptions,
        batch_size: BatchSize,
    ) -> Self {
        let threads = rayon::current_num_threads();
        let beams = options
            .generation
            .num_beams
            .max(options.generation.num_return_sequences);
        let rows_of_picture = languages.max(1) * beams.max(1);
        // Without kernels, Burn's operations decide what runs on which threads.
        let is_small = captioner.weight_bytes() <= SMALL_MODEL && captioner.kernel().is_some();
        let most_workers = if is_small { threads } else { 1 };
        let pictures = match batch_size {
            BatchSize::Pictures(number) => number.get(),
            BatchSize::Auto => {
                let of_loop = ROWS.div_ceil(rows_of_picture).min(PICTURES);
                let bytes = captioner.row_bytes(options) * rows_of_picture as u64;
                let fitting = usize::try_from(memory() / bytes.max(1)).unwrap_or(usize::MAX);
                (of_loop * most_workers).min(fitting).max(1)
            }
        };
        let workers = most_workers.min(pictures);
        let readers = threads.div_ceil(2);
        let fitting = PIXELS_AHEAD / captioner.pixel_bytes().max(1);
        let ahead = (pictures + readers).min(usize::try_from(fitting).unwrap_or(usize::MAX));
        Self {
            workers,
            threads: threads / workers,
            pictures: pictures.div_ceil(workers),
            readers,
            ahead,
            // A picture may take several times as long as those after it.
            window: 8 * (pictures + ahead),
        }
        .at_least_one()
    }

    /// One of everything at least, and room for all that is under way.
    pub(super) fn at_least_one(self) -> Self {
        let (workers, pictures) = (self.workers.max(1), self.pictures.max(1));
        let (readers, ahead) = (self.readers.max(1), self.ahead.max(1));
        Self {
            workers,
            threads: self.threads.max(1),
            pictures,
            readers,
            ahead,
            window: self.window.max(workers * pictures + ahead),
        }
    }
}

/// Half of the memory that the system says is available.
fn memory() -> u64 {
    let available = || {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemAvailable:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kilobytes * 1024 / 2)
    };
    available().unwrap_or(MEMORY)
}
