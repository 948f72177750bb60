use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use super::placement::read_as;
use super::{Layout, TensorInfo, TensorSource, WeightNames};
use crate::LoadError;

/// Fills a module with the weights of a checkpoint.
///
/// Weights of Burn's `Linear`, `[input, output]`, and of convolutions, `[output, input, height,
/// width]`, are brought from the [`Layout`] of the checkpoint to Burn's; all others have the shape of
/// the checkpoint, apart from leading dimensions of one.
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
            .find_map(|name| Some((name, self.source.info(name)?)));
        let Some((name, info)) = found else {
            return Err(self.source.missing(&candidates.join(" or ")));
        };

        // What can't be read is refused before room is made for it.
        self.source.read(name, 0, &mut [])?;
        let layout = layout_of(self.containers.last(), shape.len());
        let expected = TensorInfo {
            shape,
            layout,
            ..info
        };
        if !same_shape(expected, info) {
            return Err(LoadError::Shape {
                origin: self.source.origin().into(),
                name: name.clone(),
                expected: expected.output_first_shape(),
                found: info.output_first_shape(),
            });
        }
        let values = read_as(self.source, name, info, layout)?;
        self.used.insert(name.clone());
        Ok(values)
    }
}

/// How Burn lays out a parameter of so many dimensions that stands in such a container.
pub(crate) fn layout_of(container: Option<&String>, dimensions: usize) -> Layout {
    match container.is_some_and(|name| name == "Struct:Linear") && dimensions == 2 {
        true => Layout::OutputLast,
        false => Layout::OutputFirst,
    }
}

/// Whether two shapes are the same up to the layout, and up to leading ones where no layout has to
/// be changed.
fn same_shape(expected: TensorInfo<'_>, found: TensorInfo<'_>) -> bool {
    let (expected_shape, found_shape) = (expected.output_first_shape(), found.output_first_shape());
    match (expected.layout, found.layout) {
        (Layout::OutputFirst, Layout::OutputFirst) => {
            without_leading_ones(&expected_shape) == without_leading_ones(&found_shape)
        }
        _ => expected_shape == found_shape,
    }
}

fn without_leading_ones(shape: &[usize]) -> &[usize] {
    let first = shape.iter().position(|size| *size != 1);
    &shape[first.unwrap_or(shape.len())..]
}
