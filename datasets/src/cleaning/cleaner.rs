use std::collections::HashSet;

use preprocess::text::{Language, Tokenizer};

use super::captions::{self, CaptionRule, is_empty};
use super::duplicates::{CommonCaptions, Earlier, ExactDuplicates, NearDuplicates};
use super::normalise::normalised;
use super::surveyed::Surveyed;
use super::{
    CheckError, CleaningConfig, ConfigError, Facts, PictureCheck, Reason, Sound, Split, pictures,
    split,
};
use crate::{Caption, Example, ImageSource};

/// Decides on examples, one after the other in the order of the data.
///
/// Pictures are looked at by a [`PictureCheck`], on any number of threads; what it finds goes in here together with the
/// example. Decisions depend on the examples before and on nothing else. What is remembered of them is 24 bytes for each
/// picture that is kept, 43 more for near duplicates (measured with ten million), for a limit of common captions 20 to 40
/// for each caption, and after a [`survey`](Self::survey) 25 to 60 for each image.
///
/// ```
/// use datasets::cleaning::{Cleaner, CleaningConfig, Verdict};
/// use datasets::{Caption, Example, ImageSource, Origin};
///
/// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../preprocess/tests/data/images/jpeg-420.jpg");
/// # let mut config = CleaningConfig::default();
/// # config.pictures.min_side = 1;
/// let mut cleaner = Cleaner::new(config)?;
/// let caption = |text: &str| Caption {
///     language: preprocess::text::language("en").unwrap(),
///     text: text.to_owned(),
/// };
/// let example = Example {
///     image: ImageSource::File(file.into()),
///     captions: vec![caption("a harbour"), caption("&nbsp;")],
///     url: None,
///     origin: Origin { file: "captions.tsv".into(), row: 2 },
/// };
/// let Verdict::Kept(kept) = cleaner.clean(example)? else { panic!() };
/// assert_eq!(kept.example.captions.len(), 1);
/// assert_eq!(kept.dropped_captions[0].reasons[0].rule, "html");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Cleaner {
    config: CleaningConfig,
    check: PictureCheck,
    rules: Vec<Box<dyn CaptionRule>>,
    wanted: Vec<Language>,
    exact: ExactDuplicates,
    near: Option<NearDuplicates>,
    common: Option<CommonCaptions>,
    surveyed: Surveyed,
    examples: u64,
}

/// What becomes of an example.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is kept, with at least one caption.
    Kept(Kept),
    /// It is dropped.
    Dropped(Dropped),
}

/// An example that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The example with its good captions.
    pub example: Example,
    /// Where it belongs.
    pub split: Split,
    /// The picture.
    pub picture: Sound,
    /// Whether the same picture was kept before under the same name: the data set has it in several places.
    pub is_again: bool,
    /// The captions that were dropped.
    pub dropped_captions: Vec<DroppedCaption>,
}

/// An example that is dropped.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// The example with the captions that are not to blame.
    pub example: Example,
    /// Why it was dropped: at least one reason.
    pub reasons: Vec<Reason>,
    /// The captions that would have been dropped anyway.
    pub dropped_captions: Vec<DroppedCaption>,
}

/// A caption that is dropped.
#[derive(Clone, Debug)]
pub struct DroppedCaption {
    /// The caption.
    pub caption: Caption,
    /// Why: at least one reason.
    pub reasons: Vec<Reason>,
}

impl Cleaner {
    /// A cleaner with these rules.
    ///
    /// # Errors
    /// [`ConfigError`] if a value can't be used.
    pub fn new(config: CleaningConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let wanted = config.wanted_languages()?;
        Ok(Self {
            check: PictureCheck::new(&config),
            rules: captions::rules(&config.captions, wanted.clone()),
            wanted,
            exact: ExactDuplicates::new(),
            near: config.duplicates.near_distance.map(NearDuplicates::new),
            common: config
                .captions
                .max_images_per_caption
                .map(CommonCaptions::new),
            config,
            surveyed: Surveyed::default(),
            examples: 0,
        })
    }

    /// Counts tokens with this tokenizer, for [`max_tokens`](super::CaptionLimits::max_tokens).
    pub fn with_tokenizer(mut self, tokenizer: Tokenizer) -> Self {
        self.rules
            .extend(captions::token_rule(&self.config.captions, tokenizer));
        self
    }

    /// Adds a rule of your own for captions.
    pub fn with_caption_rule(mut self, rule: Box<dyn CaptionRule>) -> Self {
        self.rules.push(rule);
        self
    }

    /// The check of pictures that these rules need, for threads.
    pub fn picture_check(&self) -> &PictureCheck {
        &self.check
    }

    /// Notes the languages of an example's good captions, for
    /// [`require_all_languages`](CleaningConfig::require_all_languages); without that, it does nothing. If the rows of an
    /// image may stand apart in the data, call this for all examples, with their pictures or without, before the first
    /// decision. Otherwise, an image has the captions of one example.
    pub fn survey(&mut self, example: &Example) {
        if self.config.require_all_languages {
            let (good, _) = self.captions(example.captions.clone());
            let languages = self.languages(good.iter());
            self.surveyed.add(&image_name(example), languages);
        }
    }

    /// Looks at the picture of an example, here and now, and decides.
    ///
    /// # Errors
    /// [`CheckError`] if there is not enough memory, or too many files are open, to look at it.
    pub fn clean(&mut self, example: Example) -> Result<Verdict, CheckError> {
        let facts = self.check.check(&example.image)?;
        Ok(self.decide(example, facts))
    }

    /// Decides on an example whose picture was looked at before. `facts` have to come from
    /// [`picture_check`](Self::picture_check).
    pub fn decide(&mut self, mut example: Example, facts: Facts) -> Verdict {
        self.examples += 1;
        let (captions, dropped_captions) = self.captions(std::mem::take(&mut example.captions));
        example.captions = captions;
        let dropped = |example, reasons, dropped_captions| {
            Verdict::Dropped(Dropped {
                example,
                reasons,
                dropped_captions,
            })
        };
        let picture = match facts {
            Facts::Sound(picture) => picture,
            Facts::Unusable(unusable) => {
                return dropped(example, vec![unusable.reason()], dropped_captions);
            }
        };
        let mut reasons = pictures::reasons(&picture, &self.config.pictures);
        let name = image_name(&example);
        reasons.extend(self.missing(&name, &example.captions, &dropped_captions));
        if !reasons.is_empty() {
            return dropped(example, reasons, dropped_captions);
        }
        // Only now, so that a picture is compared with those that are kept.
        let earlier = self.exact.find(picture.identity, &name);
        let is_again = earlier == Some(Earlier::SameName);
        if let Some(Earlier::OtherName(number)) = earlier
            && self.config.duplicates.drop_exact
        {
            let reason = Reason::new("duplicate_image", of(number));
            return dropped(example, vec![reason], dropped_captions);
        }
        if earlier.is_none() {
            if let (Some(near), Some(hash)) = (&mut self.near, picture.near) {
                if let Some(number) = near.find(hash) {
                    let reason = Reason::new("near_duplicate_image", of(number));
                    return dropped(example, vec![reason], dropped_captions);
                }
                near.insert(hash, self.examples);
            }
            self.exact.insert(picture.identity, &name, self.examples);
        }
        if let Some(common) = &mut self.common {
            example
                .captions
                .iter()
                .for_each(|caption| common.insert(caption));
        }
        Verdict::Kept(Kept {
            split: split(picture.identity, self.config.validation, self.config.seed),
            example,
            picture,
            is_again,
            dropped_captions,
        })
    }

    /// The good captions, and the others.
    fn captions(&self, captions: Vec<Caption>) -> (Vec<Caption>, Vec<DroppedCaption>) {
        let (mut good, mut dropped) = (Vec::with_capacity(captions.len()), Vec::new());
        let mut seen = HashSet::new();
        for mut caption in captions {
            if self.config.normalise {
                caption.text = normalised(&caption.text);
            }
            let mut reasons = self.reasons(&caption);
            if reasons.is_empty()
                && self.config.captions.drop_repeated
                && !seen.insert((caption.language, caption.text.trim().to_owned()))
            {
                reasons.push(Reason::new("repeated_caption", ""));
            }
            match reasons.is_empty() {
                true => good.push(caption),
                false => dropped.push(DroppedCaption { caption, reasons }),
            }
        }
        (good, dropped)
    }

    fn reasons(&self, caption: &Caption) -> Vec<Reason> {
        if is_empty(&caption.text) {
            return vec![Reason::new("empty_caption", "")];
        }
        let found = self
            .rules
            .iter()
            .filter_map(|rule| Some(Reason::new(rule.name(), rule.check(caption)?)));
        let common = self
            .common
            .iter()
            .filter_map(|common| Some(Reason::new("common_caption", common.check(caption)?)));
        found.chain(common).collect()
    }

    /// What an image lacks of captions.
    fn missing(
        &self,
        name: &[u8],
        captions: &[Caption],
        dropped: &[DroppedCaption],
    ) -> Option<Reason> {
        if captions.is_empty() {
            return Some(Reason::new("no_caption", ""));
        }
        if !self.config.require_all_languages {
            return None;
        }
        let own = self.languages(captions.iter());
        // What is only dropped because it is common was good when it was surveyed.
        let common = dropped.iter().filter(|dropped| {
            let mut reasons = dropped.reasons.iter();
            reasons.all(|reason| reason.rule == "common_caption")
        });
        let common = self.languages(common.map(|dropped| &dropped.caption));
        let has = own | self.surveyed.elsewhere(name, own | common);
        let wanted = self.wanted.iter().enumerate();
        let missing: Vec<&str> = wanted
            .filter(|(place, _)| has >> place & 1 == 0)
            .map(|(_, language)| language.code)
            .collect();
        (!missing.is_empty()).then(|| Reason::new("missing_language", missing.join(", ")))
    }

    /// The languages of captions, as bits at their places among those that are wanted.
    fn languages<'a>(&self, captions: impl Iterator<Item = &'a Caption>) -> u64 {
        let place = |caption: &Caption| {
            let mut wanted = self.wanted.iter();
            wanted.position(|language| *language == caption.language)
        };
        // There are 52 languages.
        captions
            .filter_map(place)
            .fold(0, |bits, place| bits | 1 << place)
    }
}

fn of(number: Option<u64>) -> String {
    match number {
        Some(number) => format!("of example {number}"),
        None => "of an earlier example".into(),
    }
}

/// What tells one image of a data set from another. Names within shards say nothing about those within others.
fn image_name(example: &Example) -> Vec<u8> {
    match &example.image {
        ImageSource::File(path) => path.as_os_str().as_encoded_bytes().to_vec(),
        ImageSource::Bytes { name, .. } => {
            let shard = example.origin.file.as_os_str().as_encoded_bytes();
            [shard, &[0], name.as_bytes()].concat()
        }
    }
}

#[cfg(test)]
mod tests;
