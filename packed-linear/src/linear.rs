use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor};

#[cfg(feature = "autodiff")]
use crate::autodiff::{self, linear::Layer};
use crate::fallback;
#[cfg(feature = "flex")]
use crate::flex::product::Product;
use crate::{Activation, Format, Input, LinearWeight, PackedShape, PackedWeight};

/// A linear layer, `y = x Wᵀ + b`, with an ordinary or a packed weight.
///
/// The ordinary weight can be trained and runs on every backend with Burn's operations. The packed weight
/// is for inference. On Flex, with this crate's feature `flex`, it is multiplied by the kernels; elsewhere
/// it is unpacked when it is first used.
#[derive(Module, Debug)]
pub struct PackedLinear {
    /// `[inputs, outputs]` if it is ordinary, as in Burn's linear layers.
    pub weight: LinearWeight,
    /// `[outputs]`
    pub bias: Option<Param<Tensor<1>>>,
}

/// The configuration of a [`PackedLinear`].
#[derive(Clone, Debug)]
pub struct PackedLinearConfig {
    inputs: usize,
    outputs: usize,
    bias: bool,
    initializer: Initializer,
    format: Option<Format>,
}

impl PackedLinearConfig {
    /// A layer with a bias and an ordinary weight, initialised from a normal distribution of variance
    /// `1 / inputs`.
    pub fn new(inputs: usize, outputs: usize) -> Self {
        let std = (inputs.max(1) as f64).powf(-0.5);
        Self {
            inputs,
            outputs,
            bias: true,
            initializer: Initializer::Normal { mean: 0.0, std },
            format: None,
        }
    }

    /// Whether the layer has a bias, which is initialised to 0.
    pub fn with_bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// How the weight is initialised.
    pub fn with_initializer(mut self, initializer: Initializer) -> Self {
        self.initializer = initializer;
        self
    }

    /// How the weight is packed; `None` for an ordinary weight.
    pub fn with_format(mut self, format: Option<Format>) -> Self {
        self.format = format;
        self
    }

    /// Creates the layer. Its parameters are allocated when they are first used.
    pub fn init(&self, device: &Device) -> PackedLinear {
        let dims = [self.inputs, self.outputs];
        let weight = match self.format {
            None => LinearWeight::Ordinary(self.initializer.init(dims, device)),
            Some(format) => {
                let initializer = self.initializer.clone();
                let shape = PackedShape::new(format, self.outputs, self.inputs);
                // Drawn in the order of an ordinary weight, so that a seed gives the same layer.
                let init = move |device: &Device| initializer.init(dims, device).val().transpose();
                LinearWeight::Packed(PackedWeight::uninitialized(shape, device, init))
            }
        };
        let bias = self
            .bias
            .then(|| Initializer::Zeros.init([self.outputs], device));
        PackedLinear { weight, bias }
    }
}

impl PackedLinear {
    /// A layer with weights from a normal distribution and a bias of 0. The weight is packed if there is a
    /// format.
    pub fn normal(
        [inputs, outputs]: [usize; 2],
        std: f64,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        PackedLinearConfig::new(inputs, outputs)
            .with_initializer(Initializer::Normal { mean: 0.0, std })
            .with_format(format)
            .init(device)
    }

    /// Multiplies by the weight and adds the bias.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - output: `[.., outputs]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the number of inputs.
    pub fn forward<'a, const D: usize>(&self, x: impl Into<Input<'a, D>>) -> Tensor<D> {
        self.apply(x.into(), None, None)
    }

    /// [`forward`](Self::forward) and an activation, which kernels apply before they write the result.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - output: `[.., outputs]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the number of inputs.
    pub fn forward_activated<'a, const D: usize>(
        &self,
        x: impl Into<Input<'a, D>>,
        activation: Activation,
    ) -> Tensor<D> {
        self.apply(x.into(), Some(activation), None)
    }

    /// The sum of a residual and [`forward`](Self::forward). Kernels write it to the memory of the residual
    /// if that is not shared.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - residual, output: `[.., outputs]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the number of inputs, if the residual doesn't have the shape of
    /// the output, or, where kernels are used, if it is on another device or of another type than `x`.
    pub fn forward_added<'a, const D: usize>(
        &self,
        x: impl Into<Input<'a, D>>,
        residual: Tensor<D>,
    ) -> Tensor<D> {
        self.apply(x.into(), None, Some(residual))
    }

    /// [`forward`](Self::forward) of several layers on the same input, which is normalised and rounded only
    /// once.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - outputs: `[.., outputs]` of each layer
    ///
    /// # Panics
    /// If the last dimension of `x` is not the number of inputs of every layer.
    pub fn forward_all<'a, const D: usize, const N: usize>(
        layers: [&Self; N],
        x: impl Into<Input<'a, D>>,
    ) -> [Tensor<D>; N] {
        let x = x.into();
        #[cfg(feature = "flex")]
        if let Some(product) = Self::product(layers, &x) {
            return product.compute(x, [const { None }; N]);
        }
        let x = x.into_tensor();
        layers.map(|layer| layer.forward(x.clone()))
    }

    /// The outputs of several layers next to each other, which
    /// [`attention_of_columns`](crate::attention_of_columns) takes, with a backward pass. `None` where
    /// [`has_gradients`](crate::has_gradients) is false, and if a weight is packed.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - output: `[.., outputs of all layers]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the number of inputs of every layer.
    pub fn forward_joined<const D: usize, const N: usize>(
        layers: [&Self; N],
        x: Input<'_, D>,
    ) -> Option<Tensor<D>> {
        #[cfg(feature = "autodiff")]
        {
            if !crate::has_gradients(&x.x.device()) {
                return None;
            }
            let mut joined = Vec::with_capacity(N);
            for layer in layers {
                joined.push(Layer {
                    weight: layer.weight.ordinary()?.val(),
                    is_transposed: false,
                    bias: layer.bias.as_ref().map(Param::val),
                });
            }
            autodiff::linear::linear(&joined, &x.into_tensor(), None, None)
        }
        #[cfg(not(feature = "autodiff"))]
        {
            let _ = (layers, x);
            None
        }
    }

    #[cfg(feature = "flex")]
    fn product<const D: usize, const N: usize>(
        layers: [&Self; N],
        x: &Input<'_, D>,
    ) -> Option<Product<D, N>> {
        let mut packed = Vec::with_capacity(N);
        for layer in layers {
            let bias = layer.bias.as_ref().map(Param::val);
            packed.push((layer.weight.packed()?, bias, None));
        }
        Product::new(packed.try_into().ok()?, x)
    }

    fn apply<const D: usize>(
        &self,
        x: Input<'_, D>,
        activation: Option<Activation>,
        residual: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        match &self.weight {
            LinearWeight::Packed(packed) => packed.apply(x, bias, activation, residual),
            LinearWeight::Ordinary(weight) => {
                let x = x.into_tensor();
                #[cfg(feature = "autodiff")]
                if activation.is_none() || residual.is_none() {
                    let layer = Layer {
                        weight: weight.val(),
                        is_transposed: false,
                        bias: bias.clone(),
                    };
                    if let Some(y) =
                        autodiff::linear::linear(&[layer], &x, activation, residual.as_ref())
                    {
                        return y;
                    }
                }
                let y = linear(x, weight.val(), bias);
                let y = match activation {
                    Some(activation) => activation.forward(y),
                    None => y,
                };
                add(residual, y)
            }
        }
    }
}

impl PackedWeight {
    /// `x Wᵀ + b`, and an activation.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - bias: `[outputs]`
    /// - output: `[.., outputs]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the number of inputs.
    pub fn multiply<'a, const D: usize>(
        &self,
        x: impl Into<Input<'a, D>>,
        bias: Option<Tensor<1>>,
        activation: Option<Activation>,
    ) -> Tensor<D> {
        self.apply(x.into(), bias, activation, None)
    }

    fn apply<const D: usize>(
        &self,
        x: Input<'_, D>,
        bias: Option<Tensor<1>>,
        activation: Option<Activation>,
        residual: Option<Tensor<D>>,
    ) -> Tensor<D> {
        #[cfg(feature = "flex")]
        if let Some(product) = Product::new([(self, bias.clone(), activation)], &x) {
            let [y] = product.compute(x, [residual]);
            return y;
        }
        add(
            residual,
            fallback::multiply(self, x.into_tensor(), bias, activation),
        )
    }
}

fn add<const D: usize>(residual: Option<Tensor<D>>, y: Tensor<D>) -> Tensor<D> {
    match residual {
        Some(residual) => {
            // Burn would broadcast.
            assert_eq!(residual.dims(), y.dims(), "residual of a linear layer");
            residual + y
        }
        None => y,
    }
}
