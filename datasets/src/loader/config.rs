use preprocess::text::{Language, language};
use serde::{Deserialize, Serialize};

use crate::{Augmentations, Error, Shuffle};

/// Which images come in which batches, and what is done to them.
///
/// ```
/// use datasets::{CaptionChoice, LoaderConfig};
///
/// let config: LoaderConfig = serde_json::from_str(r#"{"batch_size": 64, "captions": {"at_most": 1}}"#)?;
/// assert_eq!(config.captions, CaptionChoice::AtMost(1));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoaderConfig {
    /// Images in a batch of one device: 32. With one device, images that can't be used are replaced by those that follow;
    /// with several, their places stay empty.
    pub batch_size: usize,
    /// Decides the order, the choice of captions and the augmentations: 0.
    pub seed: u64,
    /// The order.
    pub shuffle: Shuffle,
    /// Whether the images that are left at the end of an epoch and do not fill a batch are left out. No by default.
    pub drop_last: bool,
    /// How many captions of an image come with it.
    pub captions: CaptionChoice,
    /// The languages of captions by code or name; images without a caption in one of these are skipped. All if empty, which
    /// is the default.
    pub languages: Vec<String>,
    /// Threads that read, decode and prepare images; 0, the default: as many as there are cores.
    pub threads: usize,
    /// Images that are prepared ahead of the batch that is asked for; 0, the default: two batches.
    pub read_ahead: usize,
    /// Which of the devices this is: 0. The images of an epoch are dealt out one by one, so the batches of all devices
    /// together have the images that one device has in a batch as large as all of them, if none is skipped.
    ///
    /// All devices have the same number of batches, whatever is skipped on each, so that none waits for another that has
    /// come to its end. Therefore a batch may have fewer images than `batch_size`, and in the extreme none at all: its
    /// pixel values have the shape `[0, 3, 0, 0]`, and the device takes part in the update with a gradient of zero.
    pub rank: usize,
    /// The number of devices: 1.
    pub world_size: usize,
    /// Random changes of the images.
    pub augmentations: Augmentations,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self {
            batch_size: 32,
            seed: 0,
            shuffle: Shuffle::Auto,
            drop_last: false,
            captions: CaptionChoice::All,
            languages: Vec::new(),
            threads: 0,
            read_ahead: 0,
            rank: 0,
            world_size: 1,
            augmentations: Augmentations::default(),
        }
    }
}

/// How many captions of an image come with it. Empty ones never do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptionChoice {
    /// All, in the order of the data set.
    #[default]
    All,
    /// At most this many, chosen anew in each epoch, in the order of the data set.
    AtMost(usize),
}

/// The largest batch and read-ahead: more is a mistake.
const MAX_IMAGES: usize = 1 << 20;

const MAX_THREADS: usize = 1024;

impl LoaderConfig {
    /// Refuses values that make no sense, and finds the languages.
    pub(super) fn validate(&self) -> Result<Vec<Language>, Error> {
        let check = |option, expected, fits: bool, found: &dyn std::fmt::Debug| match fits {
            true => Ok(()),
            false => Err(Error::Option {
                option,
                expected,
                found: format!("{found:?}"),
            }),
        };
        let images = |number: usize| number <= MAX_IMAGES;
        let fits = self.batch_size > 0 && images(self.batch_size);
        check("batch_size", "1 to 1048576 images", fits, &self.batch_size)?;
        check(
            "read_ahead",
            "at most 1048576 images",
            images(self.read_ahead),
            &self.read_ahead,
        )?;
        check(
            "threads",
            "at most 1024 threads",
            self.threads <= MAX_THREADS,
            &self.threads,
        )?;
        check(
            "world_size",
            "at least one device",
            self.world_size > 0,
            &self.world_size,
        )?;
        check(
            "rank",
            "a number below world_size",
            self.rank < self.world_size,
            &self.rank,
        )?;
        let fits = self.captions != CaptionChoice::AtMost(0);
        check("captions", "at least one caption", fits, &self.captions)?;
        self.augmentations.validate()?;
        let found = self.languages.iter().map(|name| {
            language(name).ok_or_else(|| Error::Option {
                option: "languages",
                expected: "codes like en or en_XX",
                found: format!("{:?}", name.chars().take(40).collect::<String>()),
            })
        });
        found.collect()
    }

    pub(super) fn thread_count(&self) -> usize {
        match self.threads {
            0 => {
                std::thread::available_parallelism().map_or(1, |count| count.get().min(MAX_THREADS))
            }
            threads => threads,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        match self.read_ahead {
            0 => self.batch_size * 2,
            images => images,
        }
    }
}
