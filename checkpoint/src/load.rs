use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Int, Tensor, TensorData};
use packed_linear::PackedShape;

use crate::error::is_wrapper;
use crate::names::NamedWeight;
use crate::place::Place;
use crate::placement::read_as;
use crate::{Layout, LoadError, TensorInfo, TensorSource, WeightNames};

/// Fills a module with the weights of a checkpoint.
///
/// Each weight is converted from its [`Layout`] in the checkpoint to the layout that the table declares.
/// Otherwise the shapes of the checkpoint and the module have to be equal, except for leading dimensions
/// of 1.
///
/// A [`PackedWeight`](packed_linear::PackedWeight) is packed while it is read, a block at a time. If the
/// checkpoint has it packed in the same format, its words are used unchanged.
///
/// # Errors
/// [`LoadError`] for the first parameter whose tensor is missing, can't be read, or has another shape, or
/// which the table does not list; or if the checkpoint has tensors that are not part of the module.
pub fn load_weights<M: Module>(
    module: M,
    source: &dyn TensorSource,
    names: &WeightNames<'_>,
) -> Result<M, LoadError> {
    load_weights_except(module, source, names, &|_| false)
}

/// Fills a module with the weights of a checkpoint as [`load_weights`] does, except for parameters that may be missing in
/// the checkpoint: those keep their values if they are. `may_be_missing` is asked with Burn's path of a parameter.
///
/// # Errors
/// [`LoadError`] for the first parameter whose tensor can't be read, has another shape, or is missing although it may not
/// be, or which the table does not list; or if the checkpoint has tensors that are not part of the module.
pub fn load_weights_except<M: Module>(
    module: M,
    source: &dyn TensorSource,
    names: &WeightNames<'_>,
    may_be_missing: &dyn Fn(&str) -> bool,
) -> Result<M, LoadError> {
    let mut loader = Loader {
        source,
        names,
        may_be_missing,
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
    may_be_missing: &'a dyn Fn(&str) -> bool,
    place: Place,
    used: HashSet<String>,
    /// The first error. A mapper can't fail, so the parameters after it are left unchanged.
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
        if self.error.is_some() || self.keeps(&self.place.path()) {
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
        if self.keeps(&path) {
            return param;
        }
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
    /// Whether the parameter at a path keeps its values.
    fn keeps(&self, path: &str) -> bool {
        (self.may_be_missing)(path) && !self.names.is_in(path, self.source)
    }

    /// Reads the parameter at the current path.
    fn read(&mut self, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let weight = self.names.of(&self.place.path(), shape)?;
        let expected = Expected {
            shape,
            layout: match weight.layout {
                Layout::Conv1d => Layout::OutputLast,
                layout => layout,
            },
        };
        let (name, info) = self.find(&weight, expected)?;
        read_as(self.source, &name, info, expected.layout)
    }

    /// Packs the weight at a path, or returns its words if the source has it packed in the same format.
    fn read_packed(&mut self, path: &str, shape: PackedShape) -> Result<TensorData, LoadError> {
        let dims = shape.dims();
        let expected = Expected {
            shape: &dims,
            layout: Layout::OutputFirst,
        };
        let (name, info) = self.find(&self.names.of(path, &dims)?, expected)?;
        let source = self.source;
        if let Some((found, words)) = source.packed(&name)?
            && found == shape
        {
            return Ok(words);
        }
        let inputs = shape.inputs();
        let words = match info.layout {
            Layout::OutputFirst | Layout::Conv1d => {
                shape.pack(|outputs, rows| source.read(&name, outputs.start * inputs, rows))?
            }
            // The inputs of one output are distributed over the whole tensor.
            Layout::OutputLast => {
                shape.pack_all(&read_as(source, &name, info, Layout::OutputFirst)?)
            }
        };
        let dims = [shape.panels(), shape.panel_words()];
        Ok(TensorData::new(words, dims))
    }

    /// Finds the tensor of a parameter, checks its shape and marks it as used.
    fn find(
        &mut self,
        weight: &NamedWeight,
        expected: Expected<'_>,
    ) -> Result<(String, TensorInfo<'a>), LoadError> {
        let source = self.source;
        let found = weight
            .names
            .iter()
            .find_map(|name| Some((name, source.info(name)?)));
        let Some((name, info)) = found else {
            return Err(missing(source, &weight.names));
        };

        let info = match weight.layout == Layout::Conv1d && !source.is_packed(name) {
            true => info.swapped(),
            false => info,
        };
        // Fails for a tensor of a type that can't be read, before memory is allocated for it.
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

/// The error for a parameter that has none of its names in the source.
fn missing(source: &dyn TensorSource, names: &[String]) -> LoadError {
    for found in source.names() {
        for name in names {
            if let Some(prefix) = found.strip_suffix(name.as_str())
                && is_wrapper(prefix)
            {
                return LoadError::Prefix {
                    origin: source.origin().into(),
                    name: name.clone(),
                    prefix: prefix.into(),
                };
            }
        }
    }
    source.missing(&names.join(" or "))
}

/// The shape and the layout of a parameter in the module.
#[derive(Clone, Copy)]
struct Expected<'a> {
    shape: &'a [usize],
    layout: Layout,
}

/// Whether two shapes are equal up to their layouts and, if the layouts are equal, up to leading
/// dimensions of 1.
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
