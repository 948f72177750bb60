//! The gradients of layers on the kernels against those of Burn's own operations, which compute the same on a
//! device with gradient checkpointing.
#![cfg(feature = "autodiff")]

#[expect(dead_code, reason = "not every test needs everything")]
mod common;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use common::{filled, waves};
use packed_linear::{Activation, has_gradients};
use transformer_layers::{
    AttentionConfig, CrossAttention, DecoderState, EncoderAttention, FeedForwardConfig, RowSources,
    SelfAttention,
};

const WIDTH: usize = 48;
const HEADS: usize = 3;

/// The gradients of an input, a residual and all parameters, with their names.
type Found = Vec<(String, Vec<f32>)>;

struct Collector<'a> {
    place: Vec<String>,
    gradients: &'a Gradients,
    found: Found,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.push(name.into());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.place.join(".");
        let gradient = gradient(&name, &param.val(), self.gradients);
        self.found.push((name, gradient));
    }
}

fn gradient<const D: usize>(name: &str, tensor: &Tensor<D>, gradients: &Gradients) -> Vec<f32> {
    let Some(gradient) = tensor.grad(gradients) else {
        panic!("{name} has no gradient");
    };
    gradient.into_data().try_into_vec::<f32>().unwrap()
}

/// The gradients of a sum of the output's elements with factors that differ.
fn gradients<M: Module, const D: usize>(
    layer: &M,
    inputs: [&Tensor<D>; 2],
    output: Tensor<D>,
) -> Found {
    let factors = waves(output.dims(), 5, &output.device());
    let gradients = (output * factors).sum().backward();
    let mut collector = Collector {
        place: Vec::new(),
        gradients: &gradients,
        found: Vec::new(),
    };
    layer.visit(&mut collector);
    let mut found = collector.found;
    for (name, input) in ["input", "residual"].into_iter().zip(inputs) {
        found.push((name.into(), gradient(name, input, &gradients)));
    }
    found
}

fn leaf<const D: usize>(shape: [usize; D], phase: usize, device: &Device) -> Tensor<D> {
    waves(shape, phase, device).require_grad()
}

fn encoder_attention(device: &Device) -> Found {
    let config = AttentionConfig::new(WIDTH, HEADS);
    let layer = filled(EncoderAttention::new(&config, None, device));
    let [x, residual] = [1, 2].map(|phase| leaf([3, 21, WIDTH], phase, device));
    let output = layer.forward(x.clone(), residual.clone());
    gradients(&layer, [&x, &residual], output)
}

fn self_attention(device: &Device) -> Found {
    let config = AttentionConfig::new(WIDTH, HEADS);
    let layer = filled(SelfAttention::new(&config, None, device));
    let memory = CrossAttention::new(&config, None, device);
    let memory = memory.start(Tensor::zeros([1, 5, WIDTH], device));
    let sources = RowSources::new(vec![0; 4], 1, device);
    let mut state = DecoderState::new(vec![memory], sources, None);
    let (pass, layers) = state.advance(9, None);
    let [x, residual] = [3, 4].map(|phase| leaf([4 * 9, WIDTH], phase, device));
    let output = layer.forward(x.clone(), residual.clone(), &pass, &mut layers[0]);
    gradients(&layer, [&x, &residual], output)
}

fn cross_attention(device: &Device) -> Found {
    let config = AttentionConfig::new(WIDTH, HEADS);
    let layer = filled(CrossAttention::new(&config, None, device));
    let memory = waves([2, 7, WIDTH], 9, device);
    let sources = RowSources::new(vec![0, 1, 1], 2, device);
    let mut state = DecoderState::new(vec![layer.start(memory)], sources, None);
    let (pass, layers) = state.advance(5, None);
    let [x, residual] = [6, 7].map(|phase| leaf([3 * 5, WIDTH], phase, device));
    let output = layer.forward(x.clone(), residual.clone(), &pass, &mut layers[0]);
    gradients(&layer, [&x, &residual], output)
}

fn feed_forward(device: &Device) -> Found {
    let config = FeedForwardConfig::new(WIDTH, 4 * WIDTH, Activation::Gelu);
    let layer = filled(config.init(None, device));
    let [x, residual] = [8, 9].map(|phase| leaf([50, WIDTH], phase, device));
    let output = layer.forward(x.clone(), residual.clone());
    gradients(&layer, [&x, &residual], output)
}

/// Both ways round `f32` in another order. A gradient here is a sum of at most 200 products of such sums, whose
/// errors are some units of 6e-8 of its largest terms: 1e-5 of the layer's largest gradient leaves a factor of
/// ten. A mistake, such as a term that is missing, is thousands of times larger. Keys' biases have no gradient
/// but such errors, so the scale is that of the whole layer.
const TOLERANCE: f32 = 1e-5;

#[test]
fn gradients_of_layers_are_those_of_burns_own_operations() {
    let devices = [
        Device::flex().autodiff(),
        Device::flex().autodiff().gradient_checkpointing(),
    ];
    assert!(has_gradients(&devices[0]) && !has_gradients(&devices[1]));
    for (what, layer) in [
        (
            "encoder attention",
            encoder_attention as fn(&Device) -> Found,
        ),
        ("self-attention", self_attention),
        ("cross-attention", cross_attention),
        ("feed-forward", feed_forward),
    ] {
        let [found, expected] = devices.each_ref().map(layer);
        let values = expected.iter().flat_map(|(_, values)| values);
        let largest = values.fold(0.0_f32, |a, b| a.max(b.abs()));
        assert_eq!(found.len(), expected.len(), "{what}");
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            assert_eq!(found.len(), expected.len(), "{what}: {name}");
            for (found, expected) in found.iter().zip(expected) {
                let difference = (found - expected).abs();
                assert!(
                    difference <= TOLERANCE * largest,
                    "{what}: {name}: {found} is not {expected}, the largest is {largest}"
                );
            }
        }
    }
}
