use std::path::Path;

use serde_json::{Map, Value};
use whole_files::{limits, python_json};

use super::encoder::Encoder;
use super::values::{self, Options};
use super::{ImageProcessorClass, ImageProcessorConfig};
use crate::Error;
use crate::error::write;
use crate::image::Backend;

const PREPROCESSOR_CONFIG: &str = "preprocessor_config.json";
const PROCESSOR_CONFIG: &str = "processor_config.json";

impl ImageProcessorConfig {
    /// Reads the text of a `preprocessor_config.json` and [validates](Self::validate) it.
    ///
    /// # Errors
    /// [`Error::Json`] if the text is not a JSON object; [`Error::UnknownImageProcessor`] if it names a class that is not
    /// known; [`Error::Config`] if the value of an option can't be used.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let text = python_json::standard(text);
        Self::read(&serde_json::from_str(&text)?, ImageProcessorClass::Clip)
    }

    /// The options in a file; `class` is that of a file that names none.
    fn read(options: &Map<String, Value>, class: ImageProcessorClass) -> Result<Self, Error> {
        let options = Options(options);
        let class = match options.read("image_processor_type", "a string", values::as_text)? {
            Some(name) => name.parse()?,
            // Ignored if there is the newer name, as Hugging Face does.
            None => match options.read("feature_extractor_type", "a string", values::as_text)? {
                Some(name) => name.parse()?,
                None => class,
            },
        };
        let default = class.defaults();
        let is_donut = class == ImageProcessorClass::Donut;
        // These options have no effect in other classes, though a file may have them.
        let of_donut =
            |key, default| -> Result<bool, Error> { Ok(options.flag(key, default)? && is_donut) };
        let backend = options.read("resize_backend", "a string", values::as_text)?;
        let config = Self {
            do_resize: options.flag("do_resize", default.do_resize)?,
            size: options
                .read("size", values::SIZE_FORMS, |value| {
                    values::as_size(class, value)
                })?
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
            do_thumbnail: of_donut("do_thumbnail", default.do_thumbnail)?,
            do_align_long_axis: of_donut("do_align_long_axis", default.do_align_long_axis)?,
            do_pad: of_donut("do_pad", default.do_pad)?,
            image_processor_type: class,
            resize_backend: match backend {
                Some(name) => name.parse()?,
                None => default.resize_backend,
            },
        };
        config.validate()?;
        Ok(config)
    }

    /// Reads a `preprocessor_config.json`.
    ///
    /// # Errors
    /// [`Error::Read`] if the file can't be read; [`Error::File`] around [`Error::Json`] if it is not a JSON object,
    /// around [`Error::UnknownImageProcessor`] if it names a class that is not known, or around [`Error::Config`] if the
    /// value of an option can't be used.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        whole_files::read_text(path, limits::PREPROCESSING)
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

    /// The options of a checkpoint's folder: those of the images in its `processor_config.json`, which Hugging Face prefers,
    /// or else those of its `preprocessor_config.json`. A file that names no class has the one of the encoder in
    /// `config.json`, or CLIP's if that does not say which encoder there is. Without either file, they are that class's for
    /// images of this height and width; in the published captioning checkpoint of 2021, those that it was
    /// [trained with](Self::as_published).
    ///
    /// # Errors
    /// [`Error::Read`] if a file can't be read; [`Error::File`] around [`Error::Json`] if it is not JSON of the expected
    /// structure, around [`Error::UnknownImageProcessor`] if it names a class that is not known, or around
    /// [`Error::Config`] if the value of an option can't be used.
    pub fn of_checkpoint(folder: impl AsRef<Path>, size: [u32; 2]) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let encoder = Encoder::of(folder)?;
        let path = folder.join(PROCESSOR_CONFIG);
        if path.exists()
            && let Some(Value::Object(options)) = read_object(&path)?.get("image_processor")
        {
            return Self::read(options, encoder.class()).map_err(|error| error.in_file(&path));
        }
        let path = folder.join(PREPROCESSOR_CONFIG);
        if path.exists() {
            return Self::read(&read_object(&path)?, encoder.class())
                .map_err(|error| error.in_file(&path));
        }
        Ok(match encoder {
            Encoder::Published => Self::as_published(size[0]),
            Encoder::OfClass(class) => Self::of_class(class, size),
        })
    }

    /// The text of a `preprocessor_config.json` with every option, from which this crate and Hugging Face's
    /// `AutoImageProcessor` read the same.
    pub fn to_json(&self) -> String {
        // Numbers, strings and fixed keys always serialise. JSON lacks infinities, but `validate` refuses them.
        let mut options = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(options) = &mut options {
            if self.image_processor_type != ImageProcessorClass::Donut {
                // Another class would take the padding for its own.
                for key in ["do_thumbnail", "do_align_long_axis", "do_pad"] {
                    options.remove(key);
                }
            }
            if self.resize_backend == Backend::Pil {
                options.remove("resize_backend");
            }
        }
        format!("{options:#}\n")
    }
}

/// A file that holds a JSON object.
fn read_object(path: &Path) -> Result<Map<String, Value>, Error> {
    let text = whole_files::read_text(path, limits::PREPROCESSING)?;
    serde_json::from_str(&python_json::standard(&text))
        .map_err(|error| Error::from(error).in_file(path))
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
                r#"{"size": {"shortest_edge": 9, "longest_edge": 0}}"#,
                "size",
            ),
            (r#"{"size": [9]}"#, "size"),
            (r#"{"size": [9, 9.5]}"#, "size"),
            (r#"{"size": 70000}"#, "size"),
            (r#"{"crop_size": 13377}"#, "crop_size"),
            (r#"{"image_processor_type": 7}"#, "image_processor_type"),
            (r#"{"resize_backend": "cv2"}"#, "resize_backend"),
            (
                r#"{"image_processor_type": "DonutImageProcessor", "size": {"shortest_edge": 9}}"#,
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
            let config = ImageProcessorConfig::of_checkpoint(folder.path(), [7, 7]).unwrap();
            config.crop_size.width
        };
        assert_eq!(side(), 7);
        let config = ImageProcessorConfig::square(42);
        config.save(folder.path()).unwrap();
        assert_eq!(side(), 42);
        // Hugging Face prefers the options in this one, if it has any.
        let path = folder.path().join("processor_config.json");
        fs::write(&path, r#"{"processor_class": "CLIPProcessor"}"#).unwrap();
        assert_eq!(side(), 42);
        fs::write(
            &path,
            r#"{"image_processor": {"size": 96, "crop_size": 96}}"#,
        )
        .unwrap();
        assert_eq!(side(), 96);
    }

    #[test]
    fn a_class_decides_on_what_a_file_leaves_open() {
        let read = |text| ImageProcessorConfig::from_json(text).unwrap();
        // As of a checkpoint from 2021.
        let old = read(r#"{"feature_extractor_type": "ViTFeatureExtractor", "size": 96}"#);
        let exact = |height, width| ResizeTo::Exact { height, width };
        assert_eq!(old.size, exact(96, 96));
        assert_eq!(old.image_mean, [0.5; 3]);
        assert_eq!(old.resample, Resample::Bilinear);
        assert!(!old.do_center_crop);
        let new = r#"{"image_processor_type": "ViTImageProcessorFast", "size": [96, 90],
            "feature_extractor_type": "CLIPFeatureExtractor", "do_pad": true}"#;
        assert_eq!(read(new).size, exact(96, 90));
        assert!(!read(new).do_pad);
        let donut = read(r#"{"image_processor_type": "DonutImageProcessor", "size": [90, 96]}"#);
        assert_eq!(donut.size, exact(96, 90));
        assert!(donut.do_pad && donut.do_thumbnail && !donut.do_align_long_axis);
        let siglip = read(r#"{"image_processor_type": "SiglipImageProcessorPil", "size": 96}"#);
        assert_eq!(siglip.size, ResizeTo::ShortestEdge { shortest_edge: 96 });
        let error =
            ImageProcessorConfig::from_json(r#"{"image_processor_type": "NougatImageProcessor"}"#);
        assert!(matches!(error, Err(Error::UnknownImageProcessor { .. })));
    }

    #[test]
    fn every_class_and_backend_is_written_as_it_is_read() {
        for class in ImageProcessorClass::ALL {
            let config = class.defaults();
            let text = config.to_json();
            assert_eq!(ImageProcessorConfig::from_json(&text).unwrap(), config);
            assert!(text.contains(class.name()), "{text}");
            assert_eq!(text.contains("do_pad"), class == ImageProcessorClass::Donut);
        }
        for backend in Backend::ALL {
            let config = ImageProcessorConfig {
                resize_backend: backend,
                ..ImageProcessorConfig::square(9)
            };
            let text = config.to_json();
            assert_eq!(ImageProcessorConfig::from_json(&text).unwrap(), config);
            assert_eq!(text.contains("resize_backend"), backend != Backend::Pil);
        }
    }

    #[test]
    fn a_checkpoint_without_a_class_has_that_of_its_encoder() {
        let folder = tempfile::TempDir::new().unwrap();
        let config = || ImageProcessorConfig::of_checkpoint(folder.path(), [7, 7]).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("config.json", r#"{"encoder": {"model_type": "vit"}}"#);
        assert_eq!(config().image_processor_type, ImageProcessorClass::ViT);
        assert_eq!(
            config().size,
            ResizeTo::Exact {
                height: 7,
                width: 7
            }
        );
        write("preprocessor_config.json", r#"{"size": 9}"#);
        assert_eq!(
            config().size,
            ResizeTo::Exact {
                height: 9,
                width: 9
            }
        );
        let clip = r#"{"size": 9, "feature_extractor_type": "CLIPFeatureExtractor"}"#;
        write("preprocessor_config.json", clip);
        assert_eq!(config().image_processor_type, ImageProcessorClass::Clip);
        write(
            "config.json",
            r#"{"clip_vision_config": {}, "mbart_config": {}}"#,
        );
        assert_eq!(config().resize_backend, Backend::Pil);
        fs::remove_file(folder.path().join("preprocessor_config.json")).unwrap();
        assert_eq!(config(), ImageProcessorConfig::as_published(7));
        write("config.json", r#"{"encoder": {"model_type": "another"}}"#);
        write("preprocessor_config.json", "{}");
        assert_eq!(config().image_processor_type, ImageProcessorClass::Clip);
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
