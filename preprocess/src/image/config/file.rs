use std::path::Path;

use serde_json::{Map, Value};
use whole_files::limits;

use super::ImageProcessorConfig;
use super::values::{self, Options};
use crate::Error;
use crate::error::write;

const PREPROCESSOR_CONFIG: &str = "preprocessor_config.json";

impl ImageProcessorConfig {
    /// Reads the text of a `preprocessor_config.json` and [validates](Self::validate) it.
    ///
    /// # Errors
    /// [`Error::Json`] if the text is not a JSON object; [`Error::Config`] if the value of an option can't be used.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let options: Map<String, Value> = serde_json::from_str(text)?;
        let options = Options(&options);
        let default = Self::default();
        let class = options.read("feature_extractor_type", "a string", values::as_text)?;
        let config = Self {
            do_resize: options.flag("do_resize", default.do_resize)?,
            size: options
                .read("size", values::SIZE_FORMS, values::as_size)?
                .unwrap_or(default.size),
            resample: options
                .read("resample", values::RESAMPLE_FORMS, values::as_filter)?
                .unwrap_or(default.resample),
            do_center_crop: options.flag("do_center_crop", default.do_center_crop)?,
            crop_size: options
                .read("crop_size", values::CROP_FORMS, values::as_crop)?
                .unwrap_or(default.crop_size),
            do_rescale: options.flag("do_rescale", default.do_rescale)?,
            rescale_factor: options
                .read("rescale_factor", "a number", Value::as_f64)?
                .unwrap_or(default.rescale_factor),
            do_normalize: options.flag("do_normalize", default.do_normalize)?,
            image_mean: options
                .read("image_mean", values::CHANNEL_FORMS, values::as_channels)?
                .unwrap_or(default.image_mean),
            image_std: options
                .read("image_std", values::CHANNEL_FORMS, values::as_channels)?
                .unwrap_or(default.image_std),
            do_convert_rgb: options.flag("do_convert_rgb", default.do_convert_rgb)?,
            image_processor_type: options
                .read("image_processor_type", "a string", values::as_text)?
                .or(class)
                .unwrap_or(default.image_processor_type),
        };
        config.validate()?;
        Ok(config)
    }

    /// Reads a `preprocessor_config.json`.
    ///
    /// # Errors
    /// [`Error::Read`] if the file can't be read; [`Error::File`] around [`Error::Json`] if it is not a JSON object, or
    /// around [`Error::Config`] if the value of an option can't be used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        whole_files::read_text(path, limits::JSON)
            .map_err(Error::Read)
            .and_then(|text| Self::from_json(&text))
            .map_err(|error| error.in_file(path))
    }

    /// Writes `preprocessor_config.json` into `folder`, which is created if it does not exist. The file is replaced as a
    /// whole: a reader never sees a part of it.
    ///
    /// # Errors
    /// [`Error::Config`] if [`validate`](Self::validate) finds an option that can't be used; [`Error::Write`], naming
    /// the file, if it can't be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        self.validate()?;
        write(&folder.as_ref().join(PREPROCESSOR_CONFIG), &self.to_json())
    }

    /// The options of a checkpoint's folder: those of its `preprocessor_config.json`, or else those of the images in its
    /// `processor_config.json`. Without either file, as in the published captioning checkpoint, they are CLIP's for
    /// images of `side` x `side` pixels.
    ///
    /// # Errors
    /// [`Error::Read`] if a file can't be read; [`Error::File`] around [`Error::Json`] if it is not JSON of the expected
    /// structure, or around [`Error::Config`] if the value of an option can't be used.
    pub fn of_checkpoint(folder: impl AsRef<Path>, side: u32) -> Result<Self, Error> {
        let path = folder.as_ref().join(PREPROCESSOR_CONFIG);
        if path.exists() {
            return Self::from_file(path);
        }
        let path = folder.as_ref().join("processor_config.json");
        if !path.exists() {
            return Ok(Self::square(side));
        }
        let of_processor = |text: String| {
            let processor: Value = serde_json::from_str(&text)?;
            match processor.get("image_processor") {
                Some(options) => Self::from_json(&options.to_string()),
                None => Ok(Self::square(side)),
            }
        };
        whole_files::read_text(&path, limits::JSON)
            .map_err(Error::Read)
            .and_then(of_processor)
            .map_err(|error| error.in_file(&path))
    }

    /// The text of a `preprocessor_config.json`, from which this crate and Hugging Face read the same options.
    pub fn to_json(&self) -> String {
        // Numbers, strings and fixed keys always serialise. JSON lacks infinities, but `validate` refuses them.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::image::{Resample, ResizeTo};

    #[test]
    fn an_empty_file_gives_the_defaults_of_clip() {
        let config = ImageProcessorConfig::from_json("{}").unwrap();
        assert_eq!(config, ImageProcessorConfig::default());
    }

    #[test]
    fn old_and_new_files_give_the_same_options() {
        let old = r#"{"crop_size": 96, "size": 96, "feature_extractor_type": "CLIPFeatureExtractor", "resample": 3,
            "do_convert_rgb": null, "unknown": {"nested": []}}"#;
        let new = r#"{"crop_size": {"height": 96, "width": 96}, "size": {"shortest_edge": 96, "longest_edge": null},
            "image_processor_type": "CLIPFeatureExtractor", "rescale_factor": 0.00392156862745098}"#;
        let old = ImageProcessorConfig::from_json(old).unwrap();
        assert_eq!(old, ImageProcessorConfig::from_json(new).unwrap());
        assert_eq!(old.size, ImageProcessorConfig::square(96).size);
    }

    #[test]
    fn an_exact_size_and_one_mean_for_all_channels_are_read() {
        let text = r#"{"size": {"height": 3, "width": 5}, "image_mean": 0.5, "image_std": [0.1, 0.2, 0.3]}"#;
        let config = ImageProcessorConfig::from_json(text).unwrap();
        let size = ResizeTo::Exact {
            height: 3,
            width: 5,
        };
        assert_eq!(config.size, size);
        assert_eq!(config.image_mean, [0.5; 3]);
        assert_eq!(config.image_std, [0.1, 0.2, 0.3]);
    }

    #[test]
    fn written_options_read_back() {
        let mut config = ImageProcessorConfig::square(42);
        config.resample = Resample::Hamming;
        config.do_center_crop = false;
        config.image_mean = [0.1, 1.0 / 3.0, 0.3];
        for size in [
            config.size,
            ResizeTo::Exact {
                height: 7,
                width: 9,
            },
        ] {
            config.size = size;
            let text = config.to_json();
            assert_eq!(ImageProcessorConfig::from_json(&text).unwrap(), config);
        }
        assert!(config.to_json().contains("\"resample\": 5"));
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named_with_its_option() {
        for (text, key) in [
            (r#"{"size": 0}"#, "size"),
            (r#"{"size": -3}"#, "size"),
            (r#"{"size": {"longest_edge": 9}}"#, "size"),
            (
                r#"{"size": {"shortest_edge": 9, "longest_edge": 9}}"#,
                "size",
            ),
            (r#"{"size": {"height": 9}}"#, "size"),
            (
                r#"{"crop_size": {"height": 9, "width": 99999999999}}"#,
                "crop_size",
            ),
            (r#"{"crop_size": 70000}"#, "crop_size"),
            (r#"{"resample": 6}"#, "resample"),
            (r#"{"resample": "bicubic"}"#, "resample"),
            (r#"{"image_mean": [0.5, 0.5]}"#, "image_mean"),
            (r#"{"image_mean": [0.5, 0.5, "x"]}"#, "image_mean"),
            (r#"{"image_std": [0.5, 0, 0.5]}"#, "image_std"),
            (r#"{"image_std": 1e-60}"#, "image_std"),
            (r#"{"rescale_factor": 1e99}"#, "rescale_factor"),
            (r#"{"do_resize": "yes"}"#, "do_resize"),
        ] {
            match ImageProcessorConfig::from_json(text).unwrap_err() {
                Error::Config { key: found, .. } => assert_eq!(found, key),
                other => panic!("{text}: {other}"),
            }
        }
        for text in ["", "[]", "{", "7"] {
            let error = ImageProcessorConfig::from_json(text).unwrap_err();
            assert!(matches!(error, Error::Json(_)), "{text}: {error}");
        }
    }

    #[test]
    fn a_checkpoint_has_its_options_in_either_of_two_files() {
        let folder = tempfile::TempDir::new().unwrap();
        let side = || {
            let config = ImageProcessorConfig::of_checkpoint(folder.path(), 7).unwrap();
            config.crop_size.width
        };
        assert_eq!(side(), 7);
        let path = folder.path().join("processor_config.json");
        fs::write(&path, r#"{"processor_class": "CLIPProcessor"}"#).unwrap();
        assert_eq!(side(), 7);
        fs::write(
            &path,
            r#"{"image_processor": {"size": 96, "crop_size": 96}}"#,
        )
        .unwrap();
        assert_eq!(side(), 96);
        let config = ImageProcessorConfig::square(42);
        config.save(folder.path()).unwrap();
        assert_eq!(side(), 42);
    }

    #[test]
    fn an_absent_file_is_named() {
        let error = ImageProcessorConfig::from_file("absent/preprocessor_config.json").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("absent/preprocessor_config.json"),
            "{error}"
        );
    }
}
