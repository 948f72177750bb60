use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Int, Tensor, TensorReadError};
use packed_linear::PackedShape;

use crate::place::Place;
use crate::{Layout, Precision, SaveError, TensorInfo, WeightNames};

/// Values of a tensor that are read from its device at a time.
const BLOCK_VALUES: usize = 1 << 20;

/// A parameter as it is described in a file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// In the order of the file.
    pub(super) shape: Vec<usize>,
    /// Its packed shape, if it is packed.
    pub(super) packed: Option<PackedShape>,
}

/// What a sink needs of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Neither values nor words.
    Nothing,
    /// The values, unpacked if the parameter is packed.
    Values,
    /// The words of a packed parameter.
    Words,
}

/// Receives the parameters of a module.
pub(super) trait Sink {
    /// Receives the description of the next parameter, and returns what is needed of it.
    fn begin(&mut self, entry: Entry) -> Result<Wanted, SaveError>;

    /// Receives the next values of the parameter, in the order of the file.
    fn values(&mut self, values: &[f32]) -> Result<(), SaveError>;

    /// Receives the next words of the parameter, if [`Wanted::Words`] was returned for it.
    fn words(&mut self, _words: &[u32]) -> Result<(), SaveError> {
        Ok(())
    }
}

/// Passes the parameters of a module to a sink, always in the same order. Parameters of which nothing is
/// needed are not initialised.
pub(super) fn visit<M: Module>(
    module: &M,
    names: &WeightNames<'_>,
    sink: &mut impl Sink,
) -> Result<(), SaveError> {
    let mut visitor = Visitor {
        names,
        sink,
        place: Place::default(),
        error: None,
    };
    module.visit(&mut visitor);
    visitor.error.map_or(Ok(()), Err)
}

struct Visitor<'a, S> {
    names: &'a WeightNames<'a>,
    sink: &'a mut S,
    place: Place,
    /// The first error. A visitor can't fail, so the parameters after it are skipped.
    error: Option<SaveError>,
}

impl<S: Sink> ModuleVisitor for Visitor<'_, S> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.place.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.error.is_none() {
            self.error = self.pass(param).err();
        }
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        let packed = self.place.packed();
        if let (None, Some((path, shape))) = (&self.error, packed) {
            self.error = self.pass_packed(&path, shape, param).err();
        }
    }
}

impl<S: Sink> Visitor<'_, S> {
    fn pass_packed<const D: usize>(
        &mut self,
        path: &str,
        shape: PackedShape,
        words: &Param<Tensor<D, Int>>,
    ) -> Result<(), SaveError> {
        let mut dims = shape.dims();
        let weight = self.names.of(path, &dims)?;
        let is_swapped = weight.layout == Layout::Conv1d;
        if is_swapped {
            dims.reverse();
        }
        let name = weight.first().to_owned();
        let wanted = self.sink.begin(Entry {
            name: name.clone(),
            shape: dims,
            packed: Some(shape),
        })?;
        if wanted == Wanted::Nothing {
            return Ok(());
        }
        let mut whole = Vec::new();
        let words = words.val();
        let panels = (BLOCK_VALUES / shape.panel_words().max(1)).max(1);
        for first in (0..shape.panels()).step_by(panels) {
            let count = panels.min(shape.panels() - first);
            let part = words
                .clone()
                .narrow(0, first, count)
                .try_into_vec_as::<u32>();
            let part = part.map_err(|source| SaveError::Device {
                name: name.clone(),
                source,
            })?;
            if wanted == Wanted::Words {
                self.sink.words(&part)?;
                continue;
            }
            for (panel, words) in part.chunks(shape.panel_words().max(1)).enumerate() {
                let values = shape.unpack_panel(first + panel, words);
                match is_swapped {
                    true => whole.extend_from_slice(&values),
                    false => self.sink.values(&values)?,
                }
            }
        }
        if !whole.is_empty() {
            self.sink.values(&transposed(&whole, shape.inputs()))?;
        }
        Ok(())
    }

    fn pass<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Result<(), SaveError> {
        let shape: [usize; D] = param.lazy_shape().dims();
        let weight = self.names.of(&self.place.path(), &shape)?;
        let (layout, name) = (weight.layout, weight.first().to_owned());
        let stored = TensorInfo {
            shape: &shape,
            layout,
            precision: Precision::F32,
        };
        let entry = Entry {
            name: name.clone(),
            shape: stored.output_first_shape(),
            packed: None,
        };
        if self.sink.begin(entry)? == Wanted::Nothing {
            return Ok(());
        }
        let tensor = param.val();
        // A range of this dimension is contiguous in the file.
        let outputs = match layout {
            Layout::OutputFirst | Layout::Conv1d => 0,
            Layout::OutputLast => D - 1,
        };
        let elements: usize = shape.iter().product();
        let rows = (BLOCK_VALUES * shape[outputs] / elements.max(1)).max(1);
        for first in (0..shape[outputs]).step_by(rows) {
            let last = shape[outputs].min(first + rows);
            let part = part(tensor.clone(), layout, first..last);
            let values = part.map_err(|source| SaveError::Device {
                name: name.clone(),
                source,
            })?;
            self.sink.values(&values)?;
        }
        Ok(())
    }
}

/// The values of some outputs of a weight, in the order of the file.
fn part<const D: usize>(
    tensor: Tensor<D>,
    layout: Layout,
    outputs: std::ops::Range<usize>,
) -> Result<Vec<f32>, TensorReadError> {
    let length = outputs.len();
    match layout {
        Layout::OutputFirst | Layout::Conv1d => tensor.narrow(0, outputs.start, length),
        Layout::OutputLast => tensor
            .narrow(D - 1, outputs.start, length)
            .swap_dims(0, D - 1),
    }
    .try_into_vec_as::<f32>()
}

/// `[outputs, inputs]` as `[inputs, outputs]`.
fn transposed(values: &[f32], inputs: usize) -> Vec<f32> {
    let columns = (0..inputs).map(|input| values.iter().skip(input).step_by(inputs));
    columns.flatten().copied().collect()
}

/// The number of values of a module's parameters, including packed weights.
pub fn num_params<M: Module>(module: &M) -> usize {
    #[derive(Default)]
    struct Count {
        place: Place,
        values: usize,
    }
    impl ModuleVisitor for Count {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.place.enter(name, container_type);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.exit();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.values += param.lazy_shape().num_elements();
        }

        fn visit_int<const D: usize>(&mut self, _param: &Param<Tensor<D, Int>>) {
            if let Some((_, shape)) = self.place.packed() {
                self.values += shape.outputs() * shape.inputs();
            }
        }
    }
    let mut count = Count::default();
    module.visit(&mut count);
    count.values
}
