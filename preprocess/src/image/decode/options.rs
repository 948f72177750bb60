use std::fmt;
use std::str::FromStr;

use crate::{Error, MAX_PIXELS};

/// How an image is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeOptions {
    /// Whether to turn the image as its EXIF orientation says, which photos from telephones need to be upright. Off by
    /// default, since Hugging Face's processors ignore it. A TIFF is always turned, since Pillow does so by itself.
    pub apply_exif_orientation: bool,
    /// What to do with transparency.
    pub alpha: Alpha,
    /// The largest number of pixels that the header may announce. [`MAX_PIXELS`] by default.
    pub max_pixels: u64,
}

/// What to do with transparency, which RGB can't express. As text: `drop`, `white` or `black`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alpha {
    /// `drop`: keep the stored colour, even of fully transparent pixels, as Pillow's `convert("RGB")` does. Hugging
    /// Face's processors did so for years, so most models were trained with it.
    Drop,
    /// `white`: blend the colour onto white, as `convert_to_rgb` of transformers 5 does.
    OverWhite,
    /// `black`: blend the colour onto black.
    OverBlack,
}

impl Alpha {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Drop, Self::OverWhite, Self::OverBlack];

    /// The text for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::OverWhite => "white",
            Self::OverBlack => "black",
        }
    }
}

impl fmt::Display for Alpha {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Alpha {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] if the text is none of `drop`, `white` and `black`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = |alpha: &Self| alpha.name() == text;
        Self::ALL
            .into_iter()
            .find(named)
            .ok_or_else(|| Error::Config {
                key: "alpha".to_owned(),
                expected: Self::ALL.map(Self::name).join(", "),
                found: format!("{:?}", text.chars().take(80).collect::<String>()),
            })
    }
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            apply_exif_orientation: false,
            alpha: Alpha::Drop,
            max_pixels: MAX_PIXELS,
        }
    }
}

impl DecodeOptions {
    /// Sets [`apply_exif_orientation`](Self::apply_exif_orientation).
    pub fn with_apply_exif_orientation(mut self, apply: bool) -> Self {
        self.apply_exif_orientation = apply;
        self
    }

    /// Sets [`alpha`](Self::alpha).
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets [`max_pixels`](Self::max_pixels).
    pub fn with_max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_with_transparency_read_back_from_their_text() {
        for alpha in Alpha::ALL {
            assert_eq!(alpha.to_string().parse::<Alpha>().unwrap(), alpha);
        }
        let error = "grey".parse::<Alpha>().unwrap_err();
        assert!(error.to_string().contains("drop, white, black"), "{error}");
    }
}
