use std::sync::{Arc, OnceLock};

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
    Param, ParamId,
};
use burn::tensor::{DType, Device, Int, Shape, Tensor, TensorData};

use crate::PackedShape;
#[cfg(feature = "flex")]
use crate::flex::memory;
use crate::pack::{copy_lane, unpack_row};
use crate::shape::LANES;

/// A packed weight: a matrix `[outputs, inputs]` in the layout that kernels read.
///
/// Burn's visitors and mappers see one integer parameter, `words`, of type `U32` and shape
/// `[panels, words of a panel]`. The name of its container is the [`PackedShape`] as text, so that loaders
/// and savers know what the words mean. It can't be trained.
#[derive(Clone, Debug)]
pub struct PackedWeight {
    words: Param<Tensor<2, Int>>,
    shape: PackedShape,
    /// `[outputs, inputs]`, computed when it is first needed on a device without kernels.
    unpacked: Arc<OnceLock<Tensor<2>>>,
}

/// The name of the parameter of a [`PackedWeight`].
const WORDS: &str = "words";

impl PackedWeight {
    /// A weight with the given words, panel by panel.
    ///
    /// # Panics
    /// If the number of words is not [`PackedShape::words`].
    pub fn new(shape: PackedShape, words: Vec<u32>, device: &Device) -> Self {
        let dims = [shape.panels(), shape.panel_words()];
        let words = Tensor::from_data(TensorData::new(words, dims), (device, DType::U32));
        Self::from_param(shape, Param::initialized(ParamId::new(), words))
    }

    /// A weight that is going to be loaded. If it is used before that, it is packed from what `init`
    /// returns, `[outputs, inputs]`.
    ///
    /// # Panics
    /// When the weight is used, if `init` returns other dimensions than the shape says.
    pub fn uninitialized(
        shape: PackedShape,
        device: &Device,
        init: impl FnOnce(&Device) -> Tensor<2> + Send + Sync + 'static,
    ) -> Self {
        let dims = [shape.panels(), shape.panel_words()];
        let words = Param::uninitialized(
            ParamId::new(),
            move |device, _| {
                let values = init(device);
                let expected = [shape.outputs(), shape.inputs()];
                assert_eq!(values.dims(), expected, "initial values of a weight");
                let values = match values.try_into_vec_as::<f32>() {
                    Ok(values) => values,
                    Err(error) => panic!("weights can't be read from the device: {error:?}"),
                };
                Tensor::from_data(
                    TensorData::new(shape.pack_all(&values), dims),
                    (device, DType::U32),
                )
            },
            device.clone(),
            false,
            Shape::new(dims),
        );
        Self::from_param(shape, words)
    }

    fn from_param(shape: PackedShape, words: Param<Tensor<2, Int>>) -> Self {
        Self {
            words,
            shape,
            unpacked: Arc::default(),
        }
    }

    /// The format and the sizes.
    pub fn shape(&self) -> PackedShape {
        self.shape
    }

    /// The words, `[panels, words of a panel]`.
    #[cfg(feature = "flex")]
    pub(crate) fn words(&self) -> Tensor<2, Int> {
        self.words.val()
    }

    /// The unpacked weights of some outputs, `[outputs, inputs]`.
    ///
    /// # Panics
    /// If there is no such output, or the words can't be read from the device.
    pub(crate) fn rows(&self, outputs: &[usize]) -> Vec<f32> {
        let inputs = self.shape.inputs();
        let mut rows = vec![0.0; outputs.len() * inputs];
        self.with_words(|words| {
            for (output, row) in outputs.iter().zip(rows.chunks_mut(inputs)) {
                unpack_row(self.shape, self.panel(words, *output), output % LANES, row);
            }
        });
        rows
    }

    /// A weight with some of the outputs, in the given order.
    ///
    /// # Panics
    /// If there is no such output, or the words can't be read from the device.
    pub(crate) fn select(&self, outputs: &[usize]) -> Self {
        let shape = PackedShape {
            outputs: outputs.len(),
            ..self.shape
        };
        let mut selected = vec![0; shape.words()];
        self.with_words(|words| {
            let panels = selected.chunks_mut(shape.panel_words().max(1));
            for (outputs, target) in outputs.chunks(LANES).zip(panels) {
                for (lane, output) in outputs.iter().enumerate() {
                    let source = (self.panel(words, *output), output % LANES);
                    copy_lane(shape, source, (target, lane));
                }
            }
        });
        Self::new(shape, selected, &self.words.lazy_device())
    }

    /// The words of an output's panel.
    ///
    /// # Panics
    /// If there is no such output.
    fn panel<'w>(&self, words: &'w [u32], output: usize) -> &'w [u32] {
        assert!(
            output < self.shape.outputs(),
            "no output {output} among {}",
            self.shape.outputs()
        );
        let length = self.shape.panel_words();
        &words[output / LANES * length..][..length]
    }

    /// Calls a function with the words, which are only copied if the device is not Flex.
    ///
    /// # Panics
    /// If the words can't be read from the device.
    fn with_words<R>(&self, work: impl FnOnce(&[u32]) -> R) -> R {
        #[cfg(feature = "flex")]
        if let Some(words) = memory::integers(self.words.val()) {
            return work(memory::words(&words));
        }
        let words = self.words.val().into_data();
        match words.as_slice::<u32>() {
            Ok(words) => work(words),
            Err(error) => panic!("the words of a packed weight must be U32: {error:?}"),
        }
    }

    /// The unpacked weight, `[outputs, inputs]`, for a device without kernels.
    pub(crate) fn unpacked(&self, device: &Device) -> Tensor<2> {
        let unpack = || {
            let outputs: Vec<usize> = (0..self.shape.outputs()).collect();
            let dims = [self.shape.outputs(), self.shape.inputs()];
            Tensor::from_data(TensorData::new(self.rows(&outputs), dims), device)
        };
        let unpacked = self.unpacked.get_or_init(unpack);
        match unpacked.device() == *device {
            true => unpacked.clone(),
            false => unpack(),
        }
    }

    fn map_words(self, map: impl FnOnce(Param<Tensor<2, Int>>) -> Param<Tensor<2, Int>>) -> Self {
        Self::from_param(self.shape, map(self.words))
    }
}

impl Module for PackedWeight {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.words.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.map_words(|words| words.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.map_words(|words| words.to_device(device))
    }

    fn train(self) -> Self {
        self.map_words(Module::train)
    }

    fn valid(&self) -> Self {
        self.clone().map_words(|words| words.valid())
    }

    fn materialize(self) -> Self {
        self.map_words(Module::materialize)
    }

    fn num_params(&self) -> usize {
        self.shape.outputs() * self.shape.inputs()
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        let container = self.shape.to_string();
        visitor.enter_module(WORDS, &container);
        self.words.visit(visitor);
        visitor.exit_module(WORDS, &container);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let container = self.shape.to_string();
        mapper.enter_module(WORDS, &container);
        let mapped = self.map_words(|words| Module::map(words, mapper));
        mapper.exit_module(WORDS, &container);
        mapped
    }
}

impl ModuleDisplayDefault for PackedWeight {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_formatted(&self.shape.to_string()).optional()
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl ModuleDisplay for PackedWeight {}
