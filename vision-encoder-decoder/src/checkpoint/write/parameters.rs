use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Int, Tensor, TensorReadError};
use packed_linear::PackedShape;

use crate::checkpoint::place::Place;
use crate::checkpoint::read::{Layout, TensorInfo};
use crate::checkpoint::{Precision, SaveError, WeightNames};

/// Numbers of a tensor that are brought from its device at a time.
const NUMBERS: usize = 1 << 20;

/// A parameter as it stands in a file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// In the order of [`Layout::OutputFirst`].
    pub(super) shape: Vec<usize>,
    /// How it is packed, if it is.
    pub(super) packed: Option<PackedShape>,
}

/// What a sink wants of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// That it was named is enough.
    Nothing,
    /// Its numbers, unpacked if it is packed.
    Numbers,
    /// The words of a packed one as they are.
    Words,
}

/// What parameters are given to.
pub(super) trait Sink {
    /// A parameter comes.
    fn begin(&mut self, entry: Entry) -> Result<Wanted, SaveError>;

    /// The next of its numbers, in the order of the file.
    fn numbers(&mut self, numbers: &[f32]) -> Result<(), SaveError>;

    /// The next of its words; only if they are wanted.
    fn words(&mut self, _words: &[u32]) -> Result<(), SaveError> {
        Ok(())
    }
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
    /// A visitor can't fail, so the first error waits here and the rest is passed over.
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
            self.error = self.give(param).err();
        }
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        let packed = self.place.packed();
        if let (None, Some((path, shape))) = (&self.error, packed) {
            self.error = self.give_packed(&path, shape, param).err();
        }
    }
}

impl<S: Sink> Visitor<'_, S> {
    /// The first of a parameter's names.
    fn name(&self, path: &str) -> Result<String, SaveError> {
        let name = self.names.candidates(path).into_iter().next();
        name.ok_or_else(|| SaveError::UnknownParameter {
            parameter: path.into(),
        })
    }

    fn give_packed<const D: usize>(
        &mut self,
        path: &str,
        shape: PackedShape,
        words: &Param<Tensor<D, Int>>,
    ) -> Result<(), SaveError> {
        let name = self.name(path)?;
        let wanted = self.sink.begin(Entry {
            name: name.clone(),
            shape: shape.dims(),
            packed: Some(shape),
        })?;
        if wanted == Wanted::Nothing {
            return Ok(());
        }
        let words = words.val();
        let panels = (NUMBERS / shape.panel_words().max(1)).max(1);
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
                self.sink
                    .numbers(&shape.unpack_panel(first + panel, words))?;
            }
        }
        Ok(())
    }

    fn give<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Result<(), SaveError> {
        let name = self.name(&self.place.path())?;
        let layout = self.place.layout(D);
        let shape: [usize; D] = param.lazy_shape().dims();
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

/// Numbers that a module has, those of packed weights too, which Burn does not count.
pub(super) fn num_params<M: Module>(module: &M) -> usize {
    #[derive(Default)]
    struct Count {
        place: Place,
        numbers: usize,
    }
    impl ModuleVisitor for Count {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.place.enter(name, container_type);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.exit();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.numbers += param.lazy_shape().num_elements();
        }

        fn visit_int<const D: usize>(&mut self, _param: &Param<Tensor<D, Int>>) {
            if let Some((_, shape)) = self.place.packed() {
                self.numbers += shape.outputs() * shape.inputs();
            }
        }
    }
    let mut count = Count::default();
    module.visit(&mut count);
    count.numbers
}
