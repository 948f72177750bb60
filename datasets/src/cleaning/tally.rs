use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Kept, Reason, Split, Verdict};

/// The numbers of a cleaned data set: the table of a model card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Examples that were read. An image whose rows are not together is several examples.
    pub examples: u64,
    /// Captions that were read.
    pub captions: u64,
    /// What is kept for training.
    pub train: Part,
    /// What is kept for validation.
    pub validation: Part,
    /// Examples that were kept whose picture was kept before under the same name. They count as captions, not as images.
    pub repeated_examples: u64,
    /// Examples that were dropped.
    pub dropped_examples: u64,
    /// How many examples each rule has dropped. One may have several reasons.
    pub example_reasons: BTreeMap<String, u64>,
    /// Captions that were dropped for what they are.
    pub dropped_captions: u64,
    /// How many captions each rule has dropped. One may have several reasons.
    pub caption_reasons: BTreeMap<String, u64>,
    /// Captions that were lost since their example was dropped.
    pub captions_of_dropped_examples: u64,
    /// Rows of the data set that could not be read, by reason.
    pub skipped_rows: BTreeMap<String, u64>,
}

/// The numbers of a part of a data set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Number of images.
    pub images: u64,
    /// Number of captions.
    pub captions: u64,
    /// The same by language: mBART-50's codes.
    pub languages: BTreeMap<String, Counts>,
}

/// Images and captions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Number of images that have captions. An image whose rows are not together may be counted several times.
    pub images: u64,
    /// Number of captions.
    pub captions: u64,
}

impl Tally {
    /// Counts what became of an example.
    pub fn add(&mut self, verdict: &Verdict) {
        self.examples += 1;
        let (example, dropped_captions) = match verdict {
            Verdict::Kept(kept) => (&kept.example, &kept.dropped_captions),
            Verdict::Dropped(dropped) => (&dropped.example, &dropped.dropped_captions),
        };
        self.captions += (example.captions.len() + dropped_captions.len()) as u64;
        self.dropped_captions += dropped_captions.len() as u64;
        for caption in dropped_captions {
            count(&mut self.caption_reasons, &caption.reasons);
        }
        match verdict {
            Verdict::Kept(kept) => {
                self.repeated_examples += u64::from(kept.is_again);
                self.part(kept.split).add(kept);
            }
            Verdict::Dropped(dropped) => {
                self.dropped_examples += 1;
                self.captions_of_dropped_examples += example.captions.len() as u64;
                count(&mut self.example_reasons, &dropped.reasons);
            }
        }
    }

    /// Counts a row that could not be read.
    pub fn add_skipped(&mut self, reason: &str) {
        *self.skipped_rows.entry(reason.to_owned()).or_default() += 1;
    }

    /// Number of images that are kept.
    pub fn kept_images(&self) -> u64 {
        self.train.images + self.validation.images
    }

    /// Number of captions that are kept.
    pub fn kept_captions(&self) -> u64 {
        self.train.captions + self.validation.captions
    }

    fn part(&mut self, split: Split) -> &mut Part {
        match split {
            Split::Train => &mut self.train,
            Split::Validation => &mut self.validation,
        }
    }
}

impl Part {
    fn add(&mut self, kept: &Kept) {
        self.images += u64::from(!kept.is_again);
        self.captions += kept.example.captions.len() as u64;
        let mut codes = BTreeSet::new();
        for caption in &kept.example.captions {
            let code = caption.language.code;
            let counts = self.languages.entry(code.to_owned()).or_default();
            counts.captions += 1;
            counts.images += u64::from(codes.insert(code));
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, reasons: &[Reason]) {
    for reason in reasons {
        *counts.entry(reason.rule.to_owned()).or_default() += 1;
    }
}
