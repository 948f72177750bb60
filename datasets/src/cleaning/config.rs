use preprocess::MAX_PIXELS;
use preprocess::text::{Language, language};
use serde::{Deserialize, Serialize};

/// What is kept of a data set: every rule as a value. Defaults drop only what nobody wants to train with; a limit that is
/// `None` does not apply.
///
/// Reads and writes as JSON or any other format of `serde`; keys that are missing have their defaults, unknown ones are
/// errors.
///
/// ```
/// use datasets::cleaning::CleaningConfig;
///
/// let config: CleaningConfig =
///     serde_json::from_str(r#"{"pictures": {"min_side": 200}, "languages": ["en", "fr"]}"#)?;
/// assert_eq!(config.pictures.min_side, 200);
/// assert_eq!(config.validation, 0.01); // the default
/// config.validate()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CleaningConfig {
    /// Limits of pictures.
    pub pictures: PictureLimits,
    /// Which pictures count as the same.
    pub duplicates: DuplicateRules,
    /// Limits of captions.
    pub captions: CaptionLimits,
    /// The wanted languages: codes (`en_XX`), the first parts of codes (`en`) or English names. None named: all languages.
    pub languages: Vec<String>,
    /// Whether an image needs a good caption in every one of [`languages`](Self::languages). Default: no.
    pub require_all_languages: bool,
    /// Whether captions are rewritten before they are judged: composed characters (Unicode's NFC), one space for any run
    /// of white space, none at the ends. Default: no, captions are kept as they are.
    pub normalise: bool,
    /// The share of images for validation, from 0 to 1. Default: 0.01, as of the original's 2.5 million images.
    pub validation: f64,
    /// Seed of the split.
    pub seed: u64,
}

/// Limits of pictures, in pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureLimits {
    /// The shortest side must have at least this many. Default: 64; a smaller picture is mostly blur after it was
    /// enlarged to the 224 of CLIP.
    pub min_side: u32,
    /// The longest side may have at most this many.
    pub max_side: Option<u32>,
    /// Width times height must be at least this. Default: 0.
    pub min_pixels: u64,
    /// Width times height may be at most this. Files that announce more are not decoded. Default: 89,478,485, above which
    /// Pillow warns of a "decompression bomb"; at most [`MAX_PIXELS`].
    pub max_pixels: u64,
    /// The longest side may be at most this many times the shortest. Default: 5, of which a square crop shows a fifth.
    pub max_aspect_ratio: Option<f64>,
}

/// Which pictures count as the same. Of those that do, the first that is kept, in the order of the data, stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DuplicateRules {
    /// What identifies a picture, for duplicates and for the split. Default: the content of its file.
    pub identity: Identity,
    /// Whether duplicates are dropped. Default: yes.
    pub drop_exact: bool,
    /// Drops pictures whose perceptual hashes of 64 bits differ in at most this many bits from that of a picture that is
    /// kept: 0 to 11; 3 finds pictures that were saved again, smaller or with other compression. Needs the feature
    /// `near-duplicates`. Default: `None`, no such comparison.
    pub near_distance: Option<u32>,
}

/// What identifies a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The SHA-256 of its file.
    File,
    /// The SHA-256 of its size and decoded pixels, so that the same picture in two lossless files is one.
    Pixels,
}

/// Limits of captions. Words are what white space separates. Limits of words and the lower limit of characters do not
/// apply to Chinese, Japanese, Thai, Burmese and Khmer, which are written without spaces, and where one character can be
/// a caption.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaptionLimits {
    /// Characters (Unicode scalar values) that a caption has at least. Default: 3.
    pub min_characters: usize,
    /// Characters that a caption has at most. Default: 1000.
    pub max_characters: Option<usize>,
    /// Words that a caption has at least. Default: 1.
    pub min_words: usize,
    /// Words that a caption has at most. Default: 256, as for Conceptual 12M.
    pub max_words: Option<usize>,
    /// Tokens that a caption has at most, with its language code and `</s>`, where the [`Cleaner`](super::Cleaner) has a
    /// tokenizer. Default: 64, the length that the original pads to.
    pub max_tokens: Option<usize>,
    /// Whether captions with control characters are dropped. Default: yes.
    pub drop_control_characters: bool,
    /// Whether captions with U+FFFD are dropped. Default: yes.
    pub drop_replacement_characters: bool,
    /// Whether captions are dropped that as a whole are UTF-8 which was read as Windows-1252 (`cafÃ©`). Default: yes.
    pub drop_mojibake: bool,
    /// Whether captions with tags or entities of HTML are dropped. Default: yes.
    pub drop_html: bool,
    /// What stands for something that was removed, in this spelling. Default: `<PERSON>`, as in Conceptual 12M.
    pub placeholders: Vec<String>,
    /// How many placeholders may follow each other with nothing but spaces and punctuation in between. Default: 2.
    pub max_placeholder_run: Option<usize>,
    /// Whether a caption is dropped that stands a second time at its image, in the same language. Default: yes.
    pub drop_repeated: bool,
    /// How many images may have the same caption in the same language: the first ones keep it. Default: no limit.
    /// Remembering captions takes about 20 to 40 bytes for each different one.
    pub max_images_per_caption: Option<u32>,
}

/// A value of a [`CleaningConfig`] that can't be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("option {option}: expected {expected}, found {found}")]
pub struct ConfigError {
    /// The option.
    pub option: &'static str,
    /// What it may be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl Default for CleaningConfig {
    fn default() -> Self {
        Self {
            pictures: PictureLimits::default(),
            duplicates: DuplicateRules::default(),
            captions: CaptionLimits::default(),
            languages: Vec::new(),
            require_all_languages: false,
            normalise: false,
            validation: 0.01,
            seed: 0,
        }
    }
}

impl Default for PictureLimits {
    fn default() -> Self {
        Self {
            min_side: 64,
            max_side: None,
            min_pixels: 0,
            max_pixels: MAX_PIXELS / 2,
            max_aspect_ratio: Some(5.0),
        }
    }
}

impl Default for DuplicateRules {
    fn default() -> Self {
        Self {
            identity: Identity::File,
            drop_exact: true,
            near_distance: None,
        }
    }
}

impl Default for CaptionLimits {
    fn default() -> Self {
        Self {
            min_characters: 3,
            max_characters: Some(1000),
            min_words: 1,
            max_words: Some(256),
            max_tokens: Some(64),
            drop_control_characters: true,
            drop_replacement_characters: true,
            drop_mojibake: true,
            drop_html: true,
            placeholders: vec!["<PERSON>".to_owned()],
            max_placeholder_run: Some(2),
            drop_repeated: true,
            max_images_per_caption: None,
        }
    }
}

/// The largest [`near_distance`](DuplicateRules::near_distance).
pub(super) const MOST_NEAR_DISTANCE: u32 = 11;

impl CleaningConfig {
    /// Checks that the values can be used together.
    ///
    /// # Errors
    /// [`ConfigError`] for the first option that can't be used.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self {
            pictures,
            duplicates,
            captions,
            ..
        } = self;
        let error = |option, expected: String, found: String| {
            Err(ConfigError {
                option,
                expected,
                found,
            })
        };
        if !(0.0..=1.0).contains(&self.validation) {
            return error(
                "validation",
                "a share from 0 to 1".into(),
                self.validation.to_string(),
            );
        }
        if pictures.max_pixels > MAX_PIXELS {
            let expected = format!("at most {MAX_PIXELS}, as many as are decoded");
            return error("max_pixels", expected, pictures.max_pixels.to_string());
        }
        if pictures.min_pixels > pictures.max_pixels {
            let expected = format!("at most max_pixels, {}", pictures.max_pixels);
            return error("min_pixels", expected, pictures.min_pixels.to_string());
        }
        if let Some(most) = pictures.max_side.filter(|most| *most < pictures.min_side) {
            let expected = format!("at least min_side, {}", pictures.min_side);
            return error("max_side", expected, most.to_string());
        }
        if let Some(ratio) = pictures
            .max_aspect_ratio
            .filter(|ratio| !ratio.is_finite() || *ratio < 1.0)
        {
            return error(
                "max_aspect_ratio",
                "a number of at least 1".into(),
                ratio.to_string(),
            );
        }
        if let Some(distance) = duplicates.near_distance {
            if !cfg!(feature = "near-duplicates") {
                let expected = "none, since this was built without the feature near-duplicates";
                return error("near_distance", expected.into(), distance.to_string());
            }
            if distance > MOST_NEAR_DISTANCE {
                let expected = format!("at most {MOST_NEAR_DISTANCE} of 64 bits");
                return error("near_distance", expected, distance.to_string());
            }
        }
        for (option, least, most) in [
            (
                "max_characters",
                captions.min_characters,
                captions.max_characters,
            ),
            ("max_words", captions.min_words, captions.max_words),
            ("max_tokens", 3, captions.max_tokens),
            (
                "max_images_per_caption",
                1,
                captions.max_images_per_caption.map(|most| most as usize),
            ),
        ] {
            if let Some(most) = most.filter(|most| *most < least) {
                return error(option, format!("at least {least}"), most.to_string());
            }
        }
        if captions
            .placeholders
            .iter()
            .any(|text| text.trim().is_empty())
        {
            return error(
                "placeholders",
                "texts that are not empty".into(),
                "an empty one".into(),
            );
        }
        if self.require_all_languages && self.languages.is_empty() {
            let expected = "the languages that are required".into();
            return error("languages", expected, "none".into());
        }
        self.wanted_languages().map(|_| ())
    }

    /// The wanted languages, each once. None: all languages.
    ///
    /// # Errors
    /// [`ConfigError`] for a language that is not one of mBART-50's.
    pub fn wanted_languages(&self) -> Result<Vec<Language>, ConfigError> {
        let mut languages = Vec::new();
        for text in &self.languages {
            let known = language(text.trim()).ok_or_else(|| ConfigError {
                option: "languages",
                expected: "codes (en_XX), their first parts (en) or English names of mBART-50's 52 languages".into(),
                found: format!("{:?}", text.chars().take(80).collect::<String>()),
            })?;
            if !languages.contains(&known) {
                languages.push(known);
            }
        }
        Ok(languages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_can_be_used_and_read_back_from_json() {
        let config = CleaningConfig::default();
        config.validate().unwrap();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(
            serde_json::from_str::<CleaningConfig>(&text).unwrap(),
            config
        );
        assert!(serde_json::from_str::<CleaningConfig>(r#"{"min_side": 3}"#).is_err());
    }

    #[test]
    fn values_that_contradict_each_other_are_refused_by_name() {
        type Change = (&'static str, fn(&mut CleaningConfig));
        let changes: [Change; 8] = [
            ("validation", |c| c.validation = f64::NAN),
            ("max_pixels", |c| c.pictures.max_pixels = u64::MAX),
            ("min_pixels", |c| {
                c.pictures.min_pixels = c.pictures.max_pixels + 1
            }),
            ("max_side", |c| c.pictures.max_side = Some(1)),
            ("max_aspect_ratio", |c| {
                c.pictures.max_aspect_ratio = Some(0.5)
            }),
            ("max_characters", |c| c.captions.max_characters = Some(2)),
            ("languages", |c| c.require_all_languages = true),
            ("languages", |c| c.languages = vec!["klingon".into()]),
        ];
        for (option, change) in changes {
            let mut config = CleaningConfig::default();
            change(&mut config);
            assert_eq!(config.validate().unwrap_err().option, option);
        }
    }
}
