use std::fmt;

use serde::Serialize;

/// Why an image or a caption was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The name of the rule, as it stands in reports: one of [`RULES`], or that of a rule of your own.
    pub rule: &'static str,
    /// What the rule found, in words. May be empty.
    pub detail: String,
}

impl Reason {
    /// A reason.
    pub fn new(rule: &'static str, detail: impl Into<String>) -> Self {
        Self {
            rule,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.is_empty() {
            true => formatter.write_str(self.rule),
            false => write!(formatter, "{}: {}", self.rule, self.detail),
        }
    }
}

/// Every rule of this module with what it means, first those for images, then those for captions.
pub const RULES: [(&str, &str); 25] = [
    ("missing_image", "there is no such file"),
    (
        "unreadable_image",
        "the file can't be read, or is not a regular file",
    ),
    (
        "not_an_image",
        "the content is not an image in a format that is decoded",
    ),
    ("damaged_image", "the image is cut short or damaged"),
    (
        "unsupported_image",
        "a rare kind of image that is not decoded",
    ),
    ("too_small", "a side or the number of pixels is too small"),
    ("too_large", "a side or the number of pixels is too large"),
    (
        "extreme_aspect_ratio",
        "one side is many times as long as the other",
    ),
    ("no_caption", "no caption of the image was kept"),
    (
        "missing_language",
        "the image has no good caption in one of the languages that are required",
    ),
    (
        "duplicate_image",
        "the same picture is kept under another name, earlier in the data",
    ),
    (
        "near_duplicate_image",
        "a picture that looks nearly the same is kept, earlier in the data",
    ),
    (
        "unreadable_row",
        "the row or entry of the data set can't be read",
    ),
    (
        "unwanted_language",
        "the caption is in none of the wanted languages",
    ),
    ("empty_caption", "the caption has nothing but spaces"),
    (
        "control_characters",
        "the caption has control characters, such as NUL or a tab",
    ),
    (
        "replacement_characters",
        "the caption has U+FFFD, which stands for bytes that were no text",
    ),
    (
        "mojibake",
        "the caption is UTF-8 that was read as Windows-1252",
    ),
    ("html", "the caption has tags or entities of HTML"),
    (
        "placeholders",
        "the caption has nothing but placeholders, or too many in a row",
    ),
    ("too_long", "the caption has too many characters or words"),
    ("too_short", "the caption has too few characters or words"),
    (
        "too_many_tokens",
        "the caption has more tokens than the decoder is trained with",
    ),
    (
        "repeated_caption",
        "the image has this caption already, in the same language",
    ),
    (
        "common_caption",
        "the caption is on too many images already",
    ),
];

/// What a rule of this module means. `None` for other names.
///
/// ```
/// use datasets::cleaning::explanation;
///
/// assert!(explanation("damaged_image").is_some_and(|text| text.contains("cut short")));
/// ```
pub fn explanation(rule: &str) -> Option<&'static str> {
    let mut rules = RULES.into_iter();
    rules.find(|(name, _)| *name == rule).map(|(_, text)| text)
}
