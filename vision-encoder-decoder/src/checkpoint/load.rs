use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use super::{TensorSource, WeightNames};
use crate::LoadError;

/// Rows of a linear layer's weight that are transposed at a time.
const ROWS: usize = 64;

/// Fills a module with the weights of a checkpoint.
///
/// Weights of Burn's `Linear` are transposed, from PyTorch's `[output, input]`; all others have the
/// shape of the checkpoint, apart from leading dimensions of one.
///
/// # Errors
/// [`LoadError`] at the first weight that is missing or does not fit, or if the checkpoint has
/// weights that the module has no place for.
pub fn load_weights<M: Module>(
    module: M,
    source: &dyn TensorSource,
    names: &WeightNames<'_>,
) -> Result<M, LoadError> {
    let mut loader = Loader {
        source,
        names,
        path: Vec::new(),
        containers: Vec::new(),
        used: HashSet::new(),
        error: None,
    };
    let module = module.map(&mut loader);
    if let Some(error) = loader.error {
        return Err(error);
    }
    let mut unexpected: Vec<String> = source
        .names()
        .into_iter()
        .filter(|name| !loader.used.contains(*name) && !names.is_ignored(name))
        .map(String::from)
        .collect();
    if unexpected.is_empty() {
        Ok(module)
    } else {
        unexpected.sort();
        Err(LoadError::UnexpectedTensors {
            origin: source.origin().into(),
            names: unexpected,
        })
    }
}

struct Loader<'a> {
    source: &'a dyn TensorSource,
    names: &'a WeightNames<'a>,
    path: Vec<String>,
    containers: Vec<String>,
    used: HashSet<String>,
    /// A mapper can't fail, so the first error waits here and the rest is left as it is.
    error: Option<LoadError>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.into());
        self.containers.push(container_type.into());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.containers.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let shape: [usize; D] = param.lazy_shape().dims();
        match self.read(&shape) {
            Ok(values) => {
                let device = param.lazy_device();
                let tensor = Tensor::from_data(TensorData::new(values, shape), &device);
                let id = param.id;
                param.transform_for_load(tensor, id)
            }
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

impl Loader<'_> {
    /// Reads the parameter at the current path.
    fn read(&mut self, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let path = self.path.join(".");
        let candidates = self.names.candidates(&path);
        if candidates.is_empty() {
            return Err(LoadError::UnknownParameter { parameter: path });
        }
        let found = candidates
            .iter()
            .find_map(|name| Some((name, self.source.shape(name)?)));
        let Some((name, found)) = found else {
            return Err(LoadError::MissingTensor {
                origin: self.source.origin().into(),
                name: candidates.join(" or "),
            });
        };

        let in_linear = self.containers.last().is_some_and(|c| c == "Struct:Linear");
        let transposed = in_linear && shape.len() == 2;
        let mut expected = shape.to_vec();
        if transposed {
            expected.reverse();
        }
        if without_leading_ones(found) != without_leading_ones(&expected) {
            return Err(LoadError::Shape {
                origin: self.source.origin().into(),
                name: name.clone(),
                expected,
                found: found.to_vec(),
            });
        }
        let mut values = vec![0.0; shape.iter().product()];
        if transposed {
            read_transposed(self.source, name, [shape[0], shape[1]], &mut values)?;
        } else {
            self.source.read(name, 0, &mut values)?;
        }
        self.used.insert(name.clone());
        Ok(values)
    }
}

/// Reads a tensor `[outputs, inputs]` into `values`, `[inputs, outputs]`, a block of rows at a time.
fn read_transposed(
    source: &dyn TensorSource,
    name: &str,
    [inputs, outputs]: [usize; 2],
    values: &mut [f32],
) -> Result<(), LoadError> {
    let mut block = vec![0.0; ROWS.min(outputs) * inputs];
    for first in (0..outputs).step_by(ROWS) {
        let rows = ROWS.min(outputs - first);
        let block = &mut block[..rows * inputs];
        source.read(name, first * inputs, block)?;
        for (input, column) in values.chunks_mut(outputs).enumerate() {
            for (row, value) in column[first..first + rows].iter_mut().enumerate() {
                *value = block[row * inputs + input];
            }
        }
    }
    Ok(())
}

fn without_leading_ones(shape: &[usize]) -> &[usize] {
    let first = shape.iter().position(|size| *size != 1);
    &shape[first.unwrap_or(shape.len())..]
}
