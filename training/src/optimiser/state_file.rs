//! Named tensors of `f32` in a safetensors file, written and read one tensor at a time.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use checkpoint::{SafetensorsFile, TensorSource};
use safetensors::{Dtype, View};

use crate::TrainingError;

/// A tensor that is brought from its device when it is written.
struct OnDevice<'a> {
    shape: Vec<usize>,
    values: Tensor<1>,
    /// Set if the device can't be read, since a view has no other way to say so.
    failed: &'a Cell<bool>,
}

impl View for OnDevice<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.values.clone().try_into_vec_as::<f32>();
        let values = values.unwrap_or_else(|_| {
            self.failed.set(true);
            vec![0.0; self.shape.iter().product()]
        });
        Cow::Owned(
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        )
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * size_of::<f32>()
    }
}

/// Writes a file of these tensors, and waits until it is on the disk.
///
/// # Shapes
/// - tensors: the name, the shape, and the values, `[elements]`
pub(crate) fn write_tensors(
    path: &Path,
    tensors: Vec<(String, Vec<usize>, Tensor<1>)>,
) -> Result<(), TrainingError> {
    let refused = |reason: String| TrainingError::State {
        origin: path.display().to_string(),
        reason,
    };
    let failed = Cell::new(false);
    let views = tensors.into_iter().map(|(name, shape, values)| {
        let failed = &failed;
        (
            name,
            OnDevice {
                shape,
                values,
                failed,
            },
        )
    });
    safetensors::serialize_to_file(views, None, path).map_err(|error| match error {
        safetensors::SafeTensorError::IoError(source) => TrainingError::Write {
            path: path.to_owned(),
            source,
        },
        error => refused(error.to_string()),
    })?;
    if failed.get() {
        return Err(refused(
            "the values could not be read from their device".into(),
        ));
    }
    let sync = File::open(path).and_then(|file| file.sync_all());
    sync.map_err(|source| TrainingError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Reads all tensors of a file.
///
/// # Shapes
/// - output: `[elements]` each
pub(crate) fn read_tensors(
    path: &Path,
    device: &Device,
) -> Result<BTreeMap<String, Tensor<1>>, TrainingError> {
    let file = SafetensorsFile::open(path)?;
    let names: Vec<String> = file.names().into_iter().map(String::from).collect();
    let mut tensors = BTreeMap::new();
    for name in names {
        let values = file.read_all(&name)?;
        let shape = [values.len()];
        tensors.insert(
            name,
            Tensor::from_data(TensorData::new(values, shape), device),
        );
    }
    Ok(tensors)
}
