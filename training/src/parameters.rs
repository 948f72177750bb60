use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{GradientCheckpointingStrategy, Tensor};

/// Where a visitor or a mapper is in a module.
#[derive(Debug, Default)]
pub(crate) struct Place(Vec<String>);

impl Place {
    pub(crate) fn enter(&mut self, name: &str) {
        self.0.push(name.into());
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    /// Burn's path of the current parameter.
    pub(crate) fn path(&self) -> String {
        self.0.join(".")
    }
}

/// The shapes of a module's float parameters by Burn's paths.
pub(crate) fn shapes<M: Module>(module: &M) -> BTreeMap<String, Vec<usize>> {
    #[derive(Default)]
    struct Shapes {
        place: Place,
        found: BTreeMap<String, Vec<usize>>,
    }
    impl ModuleVisitor for Shapes {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.place.enter(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.exit();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let shape = param.lazy_shape().to_vec();
            self.found.insert(self.place.path(), shape);
        }
    }
    let mut shapes = Shapes::default();
    module.visit(&mut shapes);
    shapes.found
}

/// Calls a function with the path and the values of each float parameter, outside of automatic differentiation.
///
/// # Shapes
/// - values: `[elements]`, in the order of the parameter's memory
pub(crate) fn visit_values<M: Module>(module: &M, with: impl FnMut(String, Tensor<1>)) {
    struct Values<F> {
        place: Place,
        with: F,
    }
    impl<F: FnMut(String, Tensor<1>)> ModuleVisitor for Values<F> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.place.enter(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.exit();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            (self.with)(self.place.path(), flat(plain(param.val())));
        }
    }
    let place = Place::default();
    module.visit(&mut Values { place, with });
}

/// Replaces the values of each float parameter for which a function has new ones. What the parameter has beside
/// its values is kept: its identity, and whether and how it takes part in automatic differentiation.
///
/// # Shapes
/// - old and new values: `[elements]`
pub(crate) fn replace_values<M: Module>(
    module: M,
    with: impl FnMut(&str, Tensor<1>) -> Option<Tensor<1>>,
) -> M {
    struct Replace<F> {
        place: Place,
        with: F,
    }
    impl<F: FnMut(&str, Tensor<1>) -> Option<Tensor<1>>> ModuleMapper for Replace<F> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.place.enter(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.exit();
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, tensor, mapper) = param.consume();
            let shape = tensor.dims();
            let like = Tracking::of(&tensor);
            let kept = tensor.clone();
            let new = (self.with)(&self.place.path(), flat(plain(tensor)));
            let tensor = match new {
                Some(values) => like.restore(values.reshape(shape)),
                None => kept,
            };
            Param::from_mapped_value(id, tensor, mapper)
        }
    }
    let place = Place::default();
    module.map(&mut Replace { place, with })
}

/// Replaces the values of those float parameters that are chosen by their paths. The function gets them without a
/// second owner, if the module has none, so that it can write to their memory.
///
/// # Shapes
/// - old and new values: `[elements]`
pub(crate) fn update_values<M: Module>(
    module: M,
    is_updated: impl Fn(&str) -> bool,
    with: impl FnMut(&str, Tensor<1>) -> Tensor<1>,
) -> M {
    struct Update<I, F> {
        place: Place,
        is_updated: I,
        with: F,
    }
    impl<I: Fn(&str) -> bool, F: FnMut(&str, Tensor<1>) -> Tensor<1>> ModuleMapper for Update<I, F> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.place.enter(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.exit();
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let path = self.place.path();
            if !(self.is_updated)(&path) {
                return param;
            }
            let (id, tensor, mapper) = param.consume();
            let shape = tensor.dims();
            let like = Tracking::of(&tensor);
            let values = (self.with)(&path, flat(plain(tensor)));
            Param::from_mapped_value(id, like.restore(values.reshape(shape)), mapper)
        }
    }
    let place = Place::default();
    module.map(&mut Update {
        place,
        is_updated,
        with,
    })
}

/// Excludes the parameters of these paths from automatic differentiation.
pub(crate) fn freeze<M: Module>(module: M, is_frozen: impl Fn(&str) -> bool) -> M {
    struct Freeze<F> {
        place: Place,
        is_frozen: F,
    }
    impl<F: Fn(&str) -> bool> ModuleMapper for Freeze<F> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.place.enter(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.exit();
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            match (self.is_frozen)(&self.place.path()) {
                true => param.set_require_grad(false),
                false => param,
            }
        }
    }
    let place = Place::default();
    module.map(&mut Freeze { place, is_frozen })
}

/// The values of a tensor in one dimension. A tensor whose memory has another order is copied.
pub(crate) fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let elements = tensor.shape().num_elements();
    tensor.reshape([elements])
}

/// The tensor without automatic differentiation.
pub(crate) fn plain<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.device().is_autodiff() {
        true => tensor.inner(),
        false => tensor,
    }
}

/// How a tensor takes part in automatic differentiation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracking {
    is_autodiff: bool,
    require_grad: bool,
    /// Tensors with different strategies can't meet in an operation.
    checkpointing: Option<GradientCheckpointingStrategy>,
}

impl Tracking {
    pub(crate) fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        Self {
            is_autodiff: tensor.device().is_autodiff(),
            require_grad: tensor.is_require_grad(),
            checkpointing: tensor.gradient_checkpointing_strategy(),
        }
    }

    /// A leaf of the graph with these values, which takes part in the same way.
    pub(crate) fn restore<const D: usize>(self, values: Tensor<D>) -> Tensor<D> {
        let tensor = self.constant(values);
        match self.require_grad {
            true => tensor.require_grad(),
            false => tensor,
        }
    }

    /// A tensor with these values that can be used together with the tensor, and has no gradient.
    pub(crate) fn constant<const D: usize>(self, values: Tensor<D>) -> Tensor<D> {
        if !self.is_autodiff {
            return values;
        }
        let tensor = Tensor::from_inner(values);
        match self.checkpointing {
            Some(strategy) => tensor.with_gradient_checkpointing_strategy(strategy),
            None => tensor,
        }
    }
}
