use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorReadError};

use crate::checkpoint::read::{Layout, TensorInfo};
use crate::checkpoint::{Precision, SaveError, WeightNames, layout_of};

/// Numbers of a tensor that are brought from its device at a time.
const NUMBERS: usize = 1 << 20;

/// A parameter as it stands in a file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// In the order of [`Layout::OutputFirst`].
    pub(super) shape: Vec<usize>,
}

/// What parameters are given to.
pub(super) trait Sink {
    /// A parameter comes; returns whether its numbers are wanted.
    fn begin(&mut self, entry: Entry) -> Result<bool, SaveError>;

    /// The next of its numbers, in the order of the file.
    fn numbers(&mut self, numbers: &[f32]) -> Result<(), SaveError>;
}

/// Gives the parameters of a module to a sink, always in the same order. Parameters whose numbers are
/// not wanted stay uninitialised.
pub(super) fn visit<M: Module>(
    module: &M,
    names: &WeightNames<'_>,
    sink: &mut impl Sink,
) -> Result<(), SaveError> {
    let mut visitor = Visitor {
        names,
        sink,
        path: Vec::new(),
        containers: Vec::new(),
        error: None,
    };
    module.visit(&mut visitor);
    visitor.error.map_or(Ok(()), Err)
}

struct Visitor<'a, S> {
    names: &'a WeightNames<'a>,
    sink: &'a mut S,
    path: Vec<String>,
    containers: Vec<String>,
    /// A visitor can't fail, so the first error waits here and the rest is passed over.
    error: Option<SaveError>,
}

impl<S: Sink> ModuleVisitor for Visitor<'_, S> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push(name.into());
        self.containers.push(container_type.into());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.error.is_none() {
            self.error = self.give(param).err();
        }
    }
}

impl<S: Sink> Visitor<'_, S> {
    fn give<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Result<(), SaveError> {
        let path = self.path.join(".");
        let name = self.names.candidates(&path).into_iter().next();
        let name = name.ok_or(SaveError::UnknownParameter { parameter: path })?;
        let layout = layout_of(self.containers.last(), D);
        let shape: [usize; D] = param.lazy_shape().dims();
        let stored = TensorInfo {
            shape: &shape,
            layout,
            precision: Precision::F32,
        };
        let entry = Entry {
            name: name.clone(),
            shape: stored.output_first_shape(),
        };
        if !self.sink.begin(entry)? {
            return Ok(());
        }
        let tensor = param.val();
        // The dimension of which a part is a contiguous part of the file.
        let outputs = match layout {
            Layout::OutputFirst => 0,
            Layout::OutputLast => D - 1,
        };
        let elements: usize = shape.iter().product();
        let rows = (NUMBERS * shape[outputs] / elements.max(1)).max(1);
        for first in (0..shape[outputs]).step_by(rows) {
            let last = shape[outputs].min(first + rows);
            let part = part(tensor.clone(), layout, first..last);
            let numbers = part.map_err(|source| SaveError::Device {
                name: name.clone(),
                source,
            })?;
            self.sink.numbers(&numbers)?;
        }
        Ok(())
    }
}

/// Some outputs of a weight, in the order of the file.
fn part<const D: usize>(
    tensor: Tensor<D>,
    layout: Layout,
    outputs: std::ops::Range<usize>,
) -> Result<Vec<f32>, TensorReadError> {
    let length = outputs.len();
    match layout {
        Layout::OutputFirst => tensor.narrow(0, outputs.start, length),
        Layout::OutputLast => tensor
            .narrow(D - 1, outputs.start, length)
            .swap_dims(0, D - 1),
    }
    .try_into_vec_as::<f32>()
}
