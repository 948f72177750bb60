use std::path::Path;

use burn::tensor::Device;
use checkpoint::{StagedFolder, write_file};
use pretrained::{ImageEncoder, PretrainedModel, TextDecoder};
use vision_encoder_decoder::VisionEncoderDecoder;

use super::{Classes, Classifier};
use crate::trainer::{read_parameters, write_parameters};
use crate::{BoxError, ModelFiles, PretrainedFiles, TrainingError};

/// The file of a classifier's weights, by Burn's paths and in Burn's layout.
pub const CLASSIFIER: &str = "classifier.safetensors";

/// The file of a classifier's [`Classes`].
pub const CLASSES: &str = "classes.json";

/// Files of an encoder that is prepared by classification: a captioner's folder, in which the encoder learns and the
/// decoder stays as it is, with the classifier beside it. A captioner's training starts from it as from any checkpoint.
#[derive(Debug)]
pub struct ClassifierFiles {
    captioner: PretrainedFiles,
    decoder: TextDecoder,
    classes: Classes,
}

/// What the paths of the classifier's parameters begin with: it stands in the decoder's place.
const PATH: &str = "decoder.";

/// What their names begin with.
const NAME: &str = "classifier.";

impl ClassifierFiles {
    /// The files of a captioner with this decoder.
    pub fn new(captioner: PretrainedFiles, decoder: TextDecoder, classes: Classes) -> Self {
        Self {
            captioner,
            decoder,
            classes,
        }
    }

    fn captioner(&self, model: &VisionEncoderDecoder<ImageEncoder, Classifier>) -> PretrainedModel {
        VisionEncoderDecoder {
            encoder: model.encoder.clone(),
            decoder: self.decoder.clone(),
            projection: model.projection.clone(),
        }
    }
}

impl ModelFiles<ImageEncoder, Classifier> for ClassifierFiles {
    fn parameter_name(&self, path: &str) -> Option<String> {
        match path.strip_prefix(PATH) {
            Some(rest) => Some(format!("{NAME}{rest}")),
            None => self.captioner.parameter_name(path),
        }
    }

    fn write(
        &self,
        model: &VisionEncoderDecoder<ImageEncoder, Classifier>,
        folder: &StagedFolder,
    ) -> Result<(), BoxError> {
        self.captioner.write(&self.captioner(model), folder)?;
        let json = serde_json::to_string_pretty(&self.classes)? + "\n";
        write_file(&folder.path().join(CLASSES), json.as_bytes())?;
        write_parameters(&model.decoder, &folder.path().join(CLASSIFIER))
    }

    fn read(
        &self,
        model: VisionEncoderDecoder<ImageEncoder, Classifier>,
        folder: &Path,
        device: &Device,
    ) -> Result<VisionEncoderDecoder<ImageEncoder, Classifier>, BoxError> {
        let path = folder.join(CLASSES);
        let classes: Classes =
            serde_json::from_str(&whole_files::read_text(&path, whole_files::limits::JSON)?)?;
        if classes != self.classes {
            return Err(Box::new(TrainingError::State {
                origin: path.display().to_string(),
                reason: "its classes are not those of the data".into(),
            }));
        }
        let captioner = self
            .captioner
            .read(self.captioner(&model), folder, device)?;
        let decoder = read_parameters(model.decoder, &folder.join(CLASSIFIER), device)?;
        Ok(VisionEncoderDecoder {
            encoder: captioner.encoder,
            decoder,
            projection: captioner.projection,
        })
    }
}
