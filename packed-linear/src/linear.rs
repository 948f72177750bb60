use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor};

use crate::fallback;
use crate::{Activation, Format, Input, PackedShape, PackedWeight};

/// A linear layer, `y = x Wᵀ + b`, with an ordinary or a packed weight.
///
/// The ordinary weight is trained and runs on every backend with Burn's own operations. The packed
/// one is for inference: on Flex, with this crate's feature `flex`, it is multiplied by the kernels,
/// elsewhere it is unpacked once.
#[derive(Module, Debug)]
pub struct PackedLinear {
    /// `[inputs, outputs]`, as Burn's linear layers have it; none if the weight is packed.
    pub weight: Option<Param<Tensor<2>>>,
    /// None if the weight is ordinary.
    pub packed: Option<PackedWeight>,
    /// `[outputs]`
    pub bias: Option<Param<Tensor<1>>>,
}

/// Makes a [`PackedLinear`].
#[derive(Clone, Debug)]
pub struct PackedLinearConfig {
    /// Inputs.
    pub d_input: usize,
    /// Outputs.
    pub d_output: usize,
    /// Whether something is added to the outputs.
    pub bias: bool,
    /// What weights are before they are loaded or trained; the bias is 0.
    pub initializer: Initializer,
    /// How the weight is packed, if it is.
    pub format: Option<Format>,
}

impl PackedLinearConfig {
    /// A layer with a bias, an ordinary weight, and normally distributed numbers of variance
    /// `1 / d_input`.
    pub fn new(d_input: usize, d_output: usize) -> Self {
        let std = (d_input.max(1) as f64).powf(-0.5);
        Self {
            d_input,
            d_output,
            bias: true,
            initializer: Initializer::Normal { mean: 0.0, std },
            format: None,
        }
    }

    /// Whether something is added to the outputs.
    pub fn with_bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// What weights are before they are loaded or trained.
    pub fn with_initializer(mut self, initializer: Initializer) -> Self {
        self.initializer = initializer;
        self
    }

    /// How the weight is packed, if it is.
    pub fn with_format(mut self, format: Option<Format>) -> Self {
        self.format = format;
        self
    }

    /// A fresh layer, for which nothing is allocated until it is used.
    pub fn init(&self, device: &Device) -> PackedLinear {
        let (inputs, outputs) = (self.d_input, self.d_output);
        let bias = self
            .bias
            .then(|| Initializer::Zeros.init([outputs], device));
        match self.format {
            None => PackedLinear {
                weight: Some(self.initializer.init([inputs, outputs], device)),
                packed: None,
                bias,
            },
            Some(format) => PackedLinear {
                weight: None,
                packed: Some({
                    let initializer = self.initializer.clone();
                    let shape = PackedShape::new(format, outputs, inputs);
                    // Drawn in the order of an ordinary weight, so that a seed gives one model.
                    PackedWeight::uninitialized(shape, device, move |device| {
                        initializer
                            .init([inputs, outputs], device)
                            .val()
                            .transpose()
                    })
                }),
                bias,
            },
        }
    }
}

impl PackedLinear {
    /// A layer with normally distributed weights and a bias of 0, its weight packed if there is a
    /// format.
    pub fn normal(
        [d_input, d_output]: [usize; 2],
        std: f64,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        PackedLinearConfig::new(d_input, d_output)
            .with_initializer(Initializer::Normal { mean: 0.0, std })
            .with_format(format)
            .init(device)
    }

    /// # Shapes
    /// - x: `[.., inputs]`
    /// - output: `[.., outputs]`
    ///
    /// # Panics
    /// If the last dimension is not the number of inputs.
    pub fn forward<'a, const D: usize>(&self, x: impl Into<Input<'a, D>>) -> Tensor<D> {
        self.apply(x.into(), None, None)
    }

    /// [`forward`](Self::forward), and a function of the result, which costs less while that is at
    /// hand.
    ///
    /// # Shapes
    /// Likewise.
    ///
    /// # Panics
    /// Likewise.
    pub fn forward_activated<'a, const D: usize>(
        &self,
        x: impl Into<Input<'a, D>>,
        activation: Activation,
    ) -> Tensor<D> {
        self.apply(x.into(), Some(activation), None)
    }

    /// The residual and [`forward`](Self::forward), whose result needs no memory of its own where nobody
    /// else has the residual.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - residual, output: `[.., outputs]`
    ///
    /// # Panics
    /// If the last dimension is not the number of inputs, or the residual has not the shape of the
    /// output.
    pub fn forward_added<'a, const D: usize>(
        &self,
        x: impl Into<Input<'a, D>>,
        residual: Tensor<D>,
    ) -> Tensor<D> {
        self.apply(x.into(), None, Some(residual))
    }

    /// [`forward`](Self::forward) of several layers on one input, which is prepared once.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - outputs: `[.., outputs]` of each layer
    ///
    /// # Panics
    /// If the last dimension is not the number of inputs of a layer.
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

    #[cfg(feature = "flex")]
    fn product<const D: usize, const N: usize>(
        layers: [&Self; N],
        x: &Input<'_, D>,
    ) -> Option<crate::flex::Product<D, N>> {
        let mut packed = Vec::with_capacity(N);
        for layer in layers {
            let bias = layer.bias.as_ref().map(Param::val);
            packed.push((layer.packed.as_ref()?, bias, None));
        }
        crate::flex::Product::new(packed.try_into().ok()?, x)
    }

    fn apply<const D: usize>(
        &self,
        x: Input<'_, D>,
        activation: Option<Activation>,
        residual: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        match (&self.packed, &self.weight) {
            (Some(packed), _) => packed.apply(x, bias, activation, residual),
            (None, Some(weight)) => {
                let y = linear(x.into_tensor(), weight.val(), bias);
                let y = match activation {
                    Some(activation) => activation.forward(y),
                    None => y,
                };
                add(residual, y)
            }
            (None, None) => panic!("a linear layer needs a weight"),
        }
    }
}

impl PackedWeight {
    /// `x Wᵀ + b`, and a function of it.
    ///
    /// # Shapes
    /// - x: `[.., inputs]`
    /// - bias: `[outputs]`
    /// - output: `[.., outputs]`
    ///
    /// # Panics
    /// If the last dimension is not the number of inputs.
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
        if let Some(product) = crate::flex::Product::new([(self, bias.clone(), activation)], &x) {
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
            // Burn would repeat dimensions of 1.
            assert_eq!(residual.dims(), y.dims(), "residual of a linear layer");
            residual + y
        }
        None => y,
    }
}
