use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Int, Tensor, TensorData};
use packed_linear::PackedShape;

use super::place::Place;
use super::placement::read_as;
use super::{Layout, TensorInfo, TensorSource, WeightNames};
use crate::LoadError;

/// Fills a module with the weights of a checkpoint.
///
/// Weights of Burn's `Linear`, `[input, output]`, and of convolutions, `[output, input, height,
/// width]`, are brought from the [`Layout`] of the checkpoint to Burn's; all others have the shape of
/// the checkpoint, apart from leading dimensions of one.
///
/// A [`PackedWeight`](packed_linear::PackedWeight) is packed while it is read, a block at a time, or
/// taken as it is from a file that has it packed alike.
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
        place: Place::default(),
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
    place: Place,
    used: HashSet<String>,
    /// A mapper can't fail, so the first error waits here and the rest is left as it is.
    error: Option<LoadError>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.place.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.exit();
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

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        if self.error.is_some() {
            return param;
        }
        let Some((path, shape)) = self.place.packed() else {
            return param;
        };
        match self.read_packed(&path, shape) {
            Ok(words) => {
                let device = param.lazy_device();
                let tensor = Tensor::from_data(words, (&device, DType::U32));
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

impl<'a> Loader<'a> {
    /// Reads the parameter at the current path.
    fn read(&mut self, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let expected = Expected {
            shape,
            layout: self.place.layout(shape.len()),
        };
        let (name, info) = self.find(&self.place.path(), expected)?;
        read_as(self.source, &name, info, expected.layout)
    }

    /// Packs the weight at a path, or takes it as it is.
    fn read_packed(&mut self, path: &str, shape: PackedShape) -> Result<TensorData, LoadError> {
        let dims = shape.dims();
        let expected = Expected {
            shape: &dims,
            layout: Layout::OutputFirst,
        };
        let (name, info) = self.find(path, expected)?;
        let source = self.source;
        if let Some((found, words)) = source.packed(&name)?
            && found == shape
        {
            return Ok(words);
        }
        let inputs = shape.inputs();
        let words = match info.layout {
            Layout::OutputFirst => {
                shape.pack(|outputs, rows| source.read(&name, outputs.start * inputs, rows))?
            }
            // What an output is made of is spread over the whole tensor then.
            Layout::OutputLast => {
                shape.pack_all(&read_as(source, &name, info, Layout::OutputFirst)?)
            }
        };
        let dims = [shape.panels(), shape.panel_words()];
        Ok(TensorData::new(words, dims))
    }

    /// Finds the tensor of a parameter, checks its shape and takes it down as used.
    fn find(
        &mut self,
        path: &str,
        expected: Expected<'_>,
    ) -> Result<(String, TensorInfo<'a>), LoadError> {
        let source = self.source;
        let candidates = self.names.candidates(path);
        if candidates.is_empty() {
            return Err(LoadError::UnknownParameter {
                parameter: path.into(),
            });
        }
        let found = candidates
            .iter()
            .find_map(|name| Some((name, source.info(name)?)));
        let Some((name, info)) = found else {
            return Err(source.missing(&candidates.join(" or ")));
        };

        // What can't be read is refused before room is made for it.
        source.read(name, 0, &mut [])?;
        let expected = TensorInfo {
            shape: expected.shape,
            layout: expected.layout,
            ..info
        };
        if !same_shape(expected, info) {
            return Err(LoadError::Shape {
                origin: source.origin().into(),
                name: name.clone(),
                expected: expected.output_first_shape(),
                found: info.output_first_shape(),
            });
        }
        self.used.insert(name.clone());
        Ok((name.clone(), info))
    }
}

/// What a parameter looks like in the module.
#[derive(Clone, Copy)]
struct Expected<'a> {
    shape: &'a [usize],
    layout: Layout,
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
