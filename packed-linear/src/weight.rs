use std::sync::{Arc, OnceLock};

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
    Param, ParamId,
};
use burn::tensor::{DType, Device, Int, Shape, Tensor, TensorData};

use crate::PackedShape;
use crate::pack::{copy_lane, unpack_row};
use crate::shape::LANES;

/// A packed weight: a matrix `[outputs, inputs]` in the layout that kernels read, of any format.
///
/// To a visitor or a mapper of Burn it is one parameter of whole numbers, `words`, `[panels, words of
/// a panel]` of type `U32`, in a container that is called like its [`PackedShape`]: whoever loads or
/// saves knows from that what the words mean. It is not trained.
#[derive(Clone, Debug)]
pub struct PackedWeight {
    words: Param<Tensor<2, Int>>,
    shape: PackedShape,
    /// `[outputs, inputs]`, made when it is first needed on a device that has no kernels.
    unpacked: Arc<OnceLock<Tensor<2>>>,
}

/// What [`PackedWeight`] calls its parameter.
const WORDS: &str = "words";

impl PackedWeight {
    /// A weight of these words.
    ///
    /// # Shapes
    /// - words: [`PackedShape::words`] of them, panel by panel
    ///
    /// # Panics
    /// If there are more or fewer words than the shape says.
    pub fn new(shape: PackedShape, words: Vec<u32>, device: &Device) -> Self {
        let dims = [shape.panels(), shape.panel_words()];
        let words = Tensor::from_data(TensorData::new(words, dims), (device, DType::U32));
        Self::from_param(shape, Param::initialized(ParamId::new(), words))
    }

    /// A weight that is to be loaded. If it is used before, `init` gives its numbers, `[outputs,
    /// inputs]`.
    ///
    /// # Panics
    /// When it is used, if there are more or fewer numbers than the shape says.
    pub fn uninitialized(
        shape: PackedShape,
        device: &Device,
        init: impl FnOnce(&Device) -> Tensor<2> + Send + Sync + 'static,
    ) -> Self {
        let dims = [shape.panels(), shape.panel_words()];
        let words = Param::uninitialized(
            ParamId::new(),
            move |device, _| {
                let numbers = init(device);
                assert_eq!(numbers.dims(), [shape.outputs(), shape.inputs()]);
                let numbers = match numbers.try_into_vec_as::<f32>() {
                    Ok(numbers) => numbers,
                    Err(error) => panic!("weights can't be read from the device: {error:?}"),
                };
                Tensor::from_data(
                    TensorData::new(shape.pack_all(&numbers), dims),
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

    /// Format and sizes.
    pub fn shape(&self) -> PackedShape {
        self.shape
    }

    /// The words, `[panels, words of a panel]`.
    pub fn words(&self) -> Tensor<2, Int> {
        self.words.val()
    }

    /// The weights of some outputs, as they are multiplied by, `[outputs, inputs]`.
    ///
    /// # Panics
    /// If there is no such output, or the device can't give its memory.
    pub fn rows(&self, outputs: &[usize]) -> Vec<f32> {
        let inputs = self.shape.inputs();
        let mut rows = vec![0.0; outputs.len() * inputs];
        self.with_words(|words| {
            for (output, row) in outputs.iter().zip(rows.chunks_mut(inputs)) {
                unpack_row(self.shape, self.panel(words, *output), output % LANES, row);
            }
        });
        rows
    }

    /// A weight of some of the outputs, their numbers unchanged.
    ///
    /// # Panics
    /// Likewise.
    pub fn select(&self, outputs: &[usize]) -> Self {
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

    fn panel<'w>(&self, words: &'w [u32], output: usize) -> &'w [u32] {
        assert!(
            output < self.shape.outputs(),
            "output {output} of {}",
            self.shape.outputs()
        );
        let length = self.shape.panel_words();
        &words[output / LANES * length..][..length]
    }

    /// Hands the words over, without a copy where the device's memory is the program's.
    fn with_words<R>(&self, work: impl FnOnce(&[u32]) -> R) -> R {
        #[cfg(feature = "flex")]
        if let Some(words) = crate::flex::whole_numbers(self.words.val()) {
            return work(crate::flex::words(&words));
        }
        let words = self.words.val().into_data();
        match words.as_slice::<u32>() {
            Ok(words) => work(words),
            Err(error) => panic!("the words of a packed weight are no U32: {error:?}"),
        }
    }

    /// The whole weight, `[outputs, inputs]`, on a device that has no kernels.
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
