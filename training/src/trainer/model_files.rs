use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use checkpoint::StagedFolder;
use vision_encoder_decoder::{Decoder, Encoder, VisionEncoderDecoder};

use crate::optimiser::{read_tensors, write_tensors};
use crate::parameters::{replace_values, shapes, visit_values};
use crate::{BoxError, TrainingError};

/// How a family of models names its parameters and keeps them in a folder.
pub trait ModelFiles<E, D> {
    /// The name that the files have for the parameter at Burn's path. Parameter groups and the optimiser's
    /// state go by these names.
    fn parameter_name(&self, path: &str) -> Option<String>;

    /// Writes the model to a folder that the caller commits, together with the other files of a training
    /// checkpoint. Weights are written in `f32`, so that reading gives the same bits.
    ///
    /// # Errors
    /// What a file can't be written for.
    fn write(
        &self,
        model: &VisionEncoderDecoder<E, D>,
        folder: &StagedFolder,
    ) -> Result<(), BoxError>;

    /// Reads the model from a folder. `model` has the same configuration, and other weights.
    ///
    /// # Errors
    /// What the folder can't be read for.
    fn read(
        &self,
        model: VisionEncoderDecoder<E, D>,
        folder: &Path,
        device: &Device,
    ) -> Result<VisionEncoderDecoder<E, D>, BoxError>;
}

/// Files of any model: `model.safetensors`, with Burn's paths as names and in Burn's layout.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByPath;

/// The file of the weights.
const WEIGHTS: &str = "model.safetensors";

impl<E: Encoder, D: Decoder> ModelFiles<E, D> for ByPath {
    fn parameter_name(&self, path: &str) -> Option<String> {
        Some(path.into())
    }

    fn write(
        &self,
        model: &VisionEncoderDecoder<E, D>,
        folder: &StagedFolder,
    ) -> Result<(), BoxError> {
        write_parameters(model, &folder.path().join(WEIGHTS))
    }

    fn read(
        &self,
        model: VisionEncoderDecoder<E, D>,
        folder: &Path,
        device: &Device,
    ) -> Result<VisionEncoderDecoder<E, D>, BoxError> {
        read_parameters(model, &folder.join(WEIGHTS), device)
    }
}

/// Writes the parameters of any module to a file, by Burn's paths and in Burn's layout.
pub(crate) fn write_parameters<M: Module>(module: &M, path: &Path) -> Result<(), BoxError> {
    let shapes = shapes(module);
    let mut tensors = Vec::new();
    visit_values(module, |path, values| {
        let shape = shapes.get(&path).cloned().unwrap_or_default();
        tensors.push((path, shape, values));
    });
    Ok(write_tensors(path, tensors)?)
}

/// Replaces the parameters of a module by those of a file that [`write_parameters`] wrote.
pub(crate) fn read_parameters<M: Module>(
    module: M,
    path: &Path,
    device: &Device,
) -> Result<M, BoxError> {
    let tensors = read_tensors(path, &device.clone().inner())?;
    check(&shapes(&module), &tensors).map_err(|reason| TrainingError::State {
        origin: path.display().to_string(),
        reason,
    })?;
    Ok(replace_values(module, |path, _| tensors.get(path).cloned()))
}

/// Checks that there is a tensor for each parameter, and no other.
fn check(
    shapes: &BTreeMap<String, Vec<usize>>,
    tensors: &BTreeMap<String, Tensor<1>>,
) -> Result<(), String> {
    for (path, shape) in shapes {
        let expected: usize = shape.iter().product();
        match tensors.get(path).map(|tensor| tensor.dims()[0]) {
            Some(found) if found == expected => {}
            Some(found) => return Err(format!("{path} has {found} values, expected {expected}")),
            None => return Err(format!("{path} is missing")),
        }
    }
    match tensors.keys().find(|path| !shapes.contains_key(*path)) {
        Some(path) => Err(format!("the model has no parameter {path}")),
        None => Ok(()),
    }
}

/// The values of a model's parameters by the names of its files, in Burn's layout.
///
/// # Shapes
/// - output: `[elements]` each, outside of automatic differentiation
pub fn parameter_values<E: Encoder, D: Decoder>(
    model: &VisionEncoderDecoder<E, D>,
    files: &dyn ModelFiles<E, D>,
) -> BTreeMap<String, Tensor<1>> {
    let mut values = BTreeMap::new();
    visit_values(model, |path, tensor| {
        if let Some(name) = files.parameter_name(&path) {
            values.insert(name, tensor);
        }
    });
    values
}
