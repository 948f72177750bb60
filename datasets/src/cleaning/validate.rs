use preprocess::MAX_PIXELS;
use preprocess::text::{Language, language};

use super::CleaningConfig;

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
