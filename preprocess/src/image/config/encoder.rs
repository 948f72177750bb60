use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use whole_files::{limits, python_json};

use super::ImageProcessorClass;
use crate::Error;

/// The encoder that `config.json` describes.
pub(super) enum Encoder {
    /// That of the published checkpoint of 2021, whose file has this form.
    Published,
    /// One whose images are processed by this class.
    OfClass(ImageProcessorClass),
}

/// What is read of a `config.json`; everything else of the file takes no memory.
#[derive(Deserialize)]
struct Config<'a> {
    #[serde(borrow)]
    model_type: Option<&'a RawValue>,
    #[serde(borrow)]
    encoder: Option<&'a RawValue>,
    clip_vision_config: Option<IgnoredAny>,
    mbart_config: Option<IgnoredAny>,
}

impl Encoder {
    /// The encoder of the checkpoint in a folder. Without `config.json`, it is one of the default class.
    pub(super) fn of(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("config.json");
        if !path.exists() {
            return Ok(Self::OfClass(ImageProcessorClass::default()));
        }
        let text = whole_files::read_text(&path, limits::JSON)?;
        Self::read(&python_json::standard(&text)).map_err(|error| Error::from(error).in_file(&path))
    }

    fn read(text: &str) -> Result<Self, serde_json::Error> {
        let config: Config<'_> = serde_json::from_str(text)?;
        if config.clip_vision_config.is_some() && config.mbart_config.is_some() {
            return Ok(Self::Published);
        }
        let model_type = match config.encoder.map(RawValue::get) {
            Some(encoder) if encoder.starts_with('{') => {
                serde_json::from_str::<Config<'_>>(encoder)?.model_type
            }
            _ => config.model_type,
        };
        let name = model_type.and_then(|text| serde_json::from_str::<String>(text.get()).ok());
        let class = name.as_deref().and_then(ImageProcessorClass::of_encoder);
        Ok(Self::OfClass(class.unwrap_or_default()))
    }

    pub(super) fn class(&self) -> ImageProcessorClass {
        match self {
            Self::Published => ImageProcessorClass::Clip,
            Self::OfClass(class) => *class,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_is_that_of_the_encoder() {
        for (text, expected) in [
            (
                r#"{"encoder": {"model_type": "vit"}, "model_type": "clip"}"#,
                ImageProcessorClass::ViT,
            ),
            (
                r#"{"model_type": "vit", "encoder": 7}"#,
                ImageProcessorClass::ViT,
            ),
            (r#"{"model_type": ["vit"]}"#, ImageProcessorClass::Clip),
            (
                r#"{"encoder": {"model_type": null}}"#,
                ImageProcessorClass::Clip,
            ),
        ] {
            assert_eq!(Encoder::read(text).unwrap().class(), expected, "{text}");
        }
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"penalty": -Infinity, "model_type": "vit", "x": NaN}"#;
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        let encoder = Encoder::of(folder.path()).unwrap();
        assert_eq!(encoder.class(), ImageProcessorClass::ViT);
        let published = r#"{"clip_vision_config": {}, "mbart_config": {"x": []}}"#;
        assert!(matches!(Encoder::read(published), Ok(Encoder::Published)));
        assert!(Encoder::read("[]").is_err());
    }
}
