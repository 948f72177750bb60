use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
    Param,
};
use burn::tensor::{Device, Tensor};

use crate::PackedWeight;

/// The weight of a linear layer, a table of embeddings or a convolution: ordinary or packed.
///
/// As a module it adds nothing to the path of an ordinary parameter: that of a layer's field `weight` is
/// `….weight`. A packed weight's parameter is `….weight.words`; see [`PackedWeight`].
#[derive(Clone, Debug)]
pub enum LinearWeight<const D: usize = 2> {
    /// Floats of Burn: can be trained, and runs on every backend. Its owner determines the order of its
    /// dimensions.
    Ordinary(Param<Tensor<D>>),
    /// Packed, for inference.
    Packed(PackedWeight),
}

impl<const D: usize> LinearWeight<D> {
    /// The ordinary weight, unless it is packed.
    pub fn ordinary(&self) -> Option<&Param<Tensor<D>>> {
        match self {
            Self::Ordinary(weight) => Some(weight),
            Self::Packed(_) => None,
        }
    }

    /// The packed weight, unless it is ordinary.
    pub fn packed(&self) -> Option<&PackedWeight> {
        match self {
            Self::Ordinary(_) => None,
            Self::Packed(weight) => Some(weight),
        }
    }
}

/// Calls the same method on what a weight consists of.
macro_rules! delegate {
    ($weight:expr, $method:ident $(, $argument:expr)*) => {
        match $weight {
            LinearWeight::Ordinary(weight) => Module::$method(weight $(, $argument)*),
            LinearWeight::Packed(weight) => Module::$method(weight $(, $argument)*),
        }
    };
}

/// Calls the same method on what a weight consists of and makes a weight of the result.
macro_rules! convert {
    ($weight:expr, $method:ident $(, $argument:expr)*) => {
        match $weight {
            LinearWeight::Ordinary(weight) => {
                LinearWeight::Ordinary(Module::$method(weight $(, $argument)*))
            }
            LinearWeight::Packed(weight) => {
                LinearWeight::Packed(Module::$method(weight $(, $argument)*))
            }
        }
    };
}

impl<const D: usize> Module for LinearWeight<D> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        delegate!(self, collect_devices, devices)
    }

    fn fork(self, device: &Device) -> Self {
        convert!(self, fork, device)
    }

    fn to_device(self, device: &Device) -> Self {
        convert!(self, to_device, device)
    }

    fn train(self) -> Self {
        convert!(self, train)
    }

    fn valid(&self) -> Self {
        convert!(self, valid)
    }

    fn materialize(self) -> Self {
        convert!(self, materialize)
    }

    fn num_params(&self) -> usize {
        delegate!(self, num_params)
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        delegate!(self, visit, visitor);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        convert!(self, map, mapper)
    }
}

impl<const D: usize> ModuleDisplayDefault for LinearWeight<D> {
    fn content(&self, content: Content) -> Option<Content> {
        match self {
            Self::Ordinary(weight) => weight.content(content),
            Self::Packed(weight) => weight.content(content),
        }
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl<const D: usize> ModuleDisplay for LinearWeight<D> {}

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Int, Tensor};

    use crate::{Format, PackedLinearConfig};

    /// The path and the container of each parameter.
    #[derive(Default)]
    struct Paths {
        place: Vec<(String, String)>,
        found: Vec<(String, String)>,
    }

    impl Paths {
        fn add(&mut self) {
            let names: Vec<&str> = self.place.iter().map(|(name, _)| name.as_str()).collect();
            let container = self.place.last().unwrap().1.clone();
            self.found.push((names.join("."), container));
        }
    }

    impl ModuleVisitor for Paths {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.place.push((name.into(), container_type.into()));
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.place.pop();
        }

        fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
            self.add();
        }

        fn visit_int<const D: usize>(&mut self, _param: &Param<Tensor<D, Int>>) {
            self.add();
        }
    }

    #[test]
    fn an_ordinary_weight_adds_nothing_to_its_path() {
        for (format, path, container) in [
            (None, "weight", "Struct:PackedLinear"),
            (Some(Format::INT8), "weight.words", "int8:7x5"),
        ] {
            let config = PackedLinearConfig::new(5, 7).with_format(format);
            let layer = config.init(&Device::flex());
            let mut paths = Paths::default();
            layer.visit(&mut paths);
            let expected = [(path, container), ("bias", "Struct:PackedLinear")];
            let expected = expected.map(|(path, container)| (path.into(), container.into()));
            assert_eq!(paths.found, expected);
            assert_eq!(layer.num_params(), 5 * 7 + 7);
        }
    }
}
