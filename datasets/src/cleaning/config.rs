use preprocess::MAX_PIXELS;
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
    /// Whether an image needs a good caption in every one of [`languages`](Self::languages). Default: no. Of an image that
    /// is several examples, since its rows are not together, all count if they were
    /// [surveyed](super::Cleaner::survey) before.
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
    /// Whether captions with control characters are dropped. Default: yes. Those with what a table of captions can't hold
    /// are dropped in any case: NUL, tabs, more than 32 line breaks.
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
