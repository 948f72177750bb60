//! Kernels with backward passes against Burn's own operations, which compute the same on a device with gradient
//! checkpointing. `PACKED_LINEAR_KERNEL` selects the kernel.
#![cfg(feature = "autodiff")]

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use packed_linear::{
    Activation, Columns, Input, LayerNorm, PackedEmbedding, PackedLinear, PackedLinearConfig,
    attention_of_columns, cross_entropy, has_gradients,
};

/// Seeded random values from -1 to 1.
struct Random(u64);

impl Random {
    fn value(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn data<const D: usize>(&mut self, shape: [usize; D]) -> TensorData {
        let count = shape.iter().product();
        TensorData::new(
            (0..count).map(|_| self.value()).collect::<Vec<f32>>(),
            shape,
        )
    }
}

/// The device with kernels, and one without.
fn devices() -> [Device; 2] {
    let devices = [
        Device::flex().autodiff(),
        Device::flex().autodiff().gradient_checkpointing(),
    ];
    assert!(has_gradients(&devices[0]) && !has_gradients(&devices[1]));
    devices
}

fn leaf<const D: usize>(data: &TensorData, device: &Device) -> Tensor<D> {
    Tensor::from_data(data.clone(), device).require_grad()
}

/// A sum of the elements with factors that differ, so that every gradient does.
fn weighted<const D: usize>(output: Tensor<D>, factors: &TensorData) -> Tensor<1> {
    let factors = Tensor::<D>::from_data(factors.clone(), &output.device());
    (output * factors).sum()
}

fn check(found: &[TensorData], expected: &[TensorData], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.shape(), expected.shape(), "{what}: {index}");
        let found = found.clone().try_into_vec::<f32>().unwrap();
        let expected = expected.clone().try_into_vec::<f32>().unwrap();
        let largest = expected.iter().fold(1e-3f32, |a, b| a.max(b.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs();
            assert!(
                difference <= 1e-5 * largest,
                "{what}: {index}: {found} is not {expected}, the largest is {largest}"
            );
        }
    }
}

const ROWS: [usize; 4] = [1, 5, 37, 200];

#[test]
fn linear_layers_with_norms_activations_and_residuals() {
    let mut random = Random(1);
    for (rows, [inputs, outputs]) in ROWS
        .into_iter()
        .zip([[3, 5], [33, 64], [48, 97], [600, 40]])
    {
        let data = [
            random.data([2, rows, inputs]),
            random.data([2, rows, outputs]),
            random.data([2, rows, outputs]),
        ];
        let parameters = [
            random.data([inputs, outputs]),
            random.data([inputs, outputs]),
        ];
        let vectors = [inputs, inputs, outputs].map(|width| random.data([width]));
        for activation in [
            None,
            Some(Activation::Gelu),
            Some(Activation::QuickGelu),
            Some(Activation::Relu),
            Some(Activation::Silu),
        ] {
            let [found, expected] = devices().map(|device| {
                let x = leaf::<3>(&data[0], &device);
                let residual = leaf::<3>(&data[1], &device);
                let mut layer = PackedLinearConfig::new(inputs, outputs).init(&device);
                let weight = leaf::<2>(&parameters[0], &device);
                let bias = leaf::<1>(&vectors[2], &device);
                set(&mut layer, &weight, Some(&bias));
                let mut norm = LayerNorm::new(inputs, 1e-5, &device);
                let [gamma, beta] = [0, 1].map(|index| leaf::<1>(&vectors[index], &device));
                norm.gamma = norm.gamma.map(|_| gamma.clone());
                norm.beta = norm.beta.map(|_| beta.clone());
                let input = Input::normed(&norm, x.clone());
                let y = match activation {
                    Some(activation) => layer.forward_activated(input, activation),
                    None => layer.forward_added(input, residual.clone()),
                };
                let mut results = vec![y.clone().into_data()];
                let gradients = weighted(y, &data[2]).backward();
                let parameters = [&gamma, &beta, &bias];
                results.push(x.grad(&gradients).unwrap().into_data());
                results.push(weight.grad(&gradients).unwrap().into_data());
                results.extend(parameters.map(|p| p.grad(&gradients).unwrap().into_data()));
                if activation.is_none() {
                    results.push(residual.grad(&gradients).unwrap().into_data());
                }
                results
            });
            check(
                &found,
                &expected,
                &format!("{rows} {inputs} {outputs} {activation:?}"),
            );
        }
    }
}

/// Sets the parameters of a layer to these tensors.
fn set(layer: &mut PackedLinear, weight: &Tensor<2>, bias: Option<&Tensor<1>>) {
    layer.weight =
        packed_linear::LinearWeight::Ordinary(burn::module::Param::from_tensor(weight.clone()));
    layer.bias = bias.map(|bias| burn::module::Param::from_tensor(bias.clone()));
}

#[test]
fn heads_of_language_models_with_their_loss() {
    let mut random = Random(2);
    for (rows, [width, vocabulary]) in
        ROWS.into_iter()
            .zip([[4, 7], [16, 33], [24, 500], [64, 1000]])
    {
        let (x, table) = (random.data([rows, width]), random.data([vocabulary, width]));
        let factors = random.data([rows]);
        let bias = random.data([vocabulary]);
        let targets: Vec<i64> = (0..rows)
            .map(|row| (row * 31 % vocabulary) as i64)
            .collect();
        for smoothing in [0.0, 0.1] {
            let [found, expected] = devices().map(|device| {
                let x = leaf::<2>(&x, &device);
                let weight = leaf::<2>(&table, &device);
                let bias = leaf::<1>(&bias, &device);
                let table = PackedEmbedding::from_tensor(weight.clone());
                let weight = table.weight.ordinary().unwrap().val();
                let targets = TensorData::new(targets.clone(), [rows]);
                let targets = Tensor::<1, Int>::from_data(targets, &device);
                let losses = cross_entropy(
                    table.scores(x.clone(), Some(bias.clone())),
                    targets,
                    smoothing,
                );
                let mut results = vec![losses.clone().into_data()];
                let gradients = weighted(losses, &factors).backward();
                results.push(x.grad(&gradients).unwrap().into_data());
                results.push(weight.grad(&gradients).unwrap().into_data());
                results.push(bias.grad(&gradients).unwrap().into_data());
                results
            });
            check(
                &found,
                &expected,
                &format!("{rows} {width} {vocabulary} {smoothing}"),
            );
        }
    }
}

/// Attention with Burn's operations.
fn composed(
    [query, keys, values]: [Tensor<2>; 3],
    [batch, heads, head_width]: [usize; 3],
    mask: Option<Tensor<4, Bool>>,
) -> Tensor<2> {
    let split = |states: Tensor<2>| {
        let [rows, _] = states.dims();
        states
            .reshape([batch, rows / batch, heads, head_width])
            .swap_dims(1, 2)
    };
    let rows = query.dims()[0];
    let scores = split(query).matmul(split(keys).swap_dims(2, 3)) * (head_width as f64).powf(-0.5);
    let scores = match mask {
        Some(mask) => scores.mask_fill(mask, f32::MIN),
        None => scores,
    };
    let context = softmax(scores, 3).matmul(split(values));
    context.swap_dims(1, 2).reshape([rows, heads * head_width])
}

/// Batch, heads, head width, queries, positions.
const ATTENTIONS: [[usize; 5]; 6] = [
    [1, 1, 1, 1, 1],
    [2, 3, 5, 4, 7],
    [3, 2, 32, 37, 37],
    [2, 2, 64, 12, 37],
    [1, 2, 16, 1, 100],
    [4, 3, 20, 17, 17],
];

#[test]
fn attention_of_one_two_or_three_tensors_with_and_without_masks() {
    let mut random = Random(3);
    for [batch, heads, head_width, queries, length] in ATTENTIONS {
        let width = heads * head_width;
        let sizes = [batch, heads, head_width];
        let factors = random.data([batch * queries, width]);
        let data = [queries, length, length].map(|rows| random.data([batch * rows, width]));
        // Hidden: what comes later, padding, and everything for one query and for one item.
        let hidden = |item: usize, query: usize, key: usize| {
            key > query || (item + key) % 5 == 4 || query == 2 || item == 3
        };
        let masks: [Option<TensorData>; 4] = [
            None,
            Some(mask_of([1, queries, length], hidden)),
            Some(mask_of([batch, queries, length], hidden)),
            Some(mask_of([batch, 1, length], |item, _, key| key > item + 2)),
        ];
        for (index, mask) in masks.iter().enumerate() {
            let what = format!("{sizes:?} {queries} {length} mask {index}");
            let [device, plain] = devices();
            let mask_on = |device: &Device| {
                mask.clone()
                    .map(|mask| Tensor::<4, Bool>::from_data(mask, device))
            };
            let results = |output: Tensor<2>, inputs: &[Tensor<2>]| {
                let mut results = vec![output.clone().into_data()];
                let gradients = weighted(output, &factors).backward();
                let gradient = |input: &Tensor<2>| input.grad(&gradients).unwrap().into_data();
                results.extend(inputs.iter().map(gradient));
                results
            };
            let inputs = [0, 1, 2].map(|index| leaf::<2>(&data[index], &plain));
            let expected = results(composed(inputs.clone(), sizes, mask_on(&plain)), &inputs);

            let inputs = [0, 1, 2].map(|index| leaf::<2>(&data[index], &device));
            let mask = mask_on(&device);
            let alone = |index: usize| Columns {
                tensor: &inputs[index],
                first: 0,
            };
            let output =
                attention_of_columns([alone(0), alone(1), alone(2)], sizes, mask.as_ref()).unwrap();
            check(&results(output, &inputs), &expected, &what);

            let joined = Tensor::cat(inputs[1..].to_vec(), 1);
            let part = |first| Columns {
                tensor: &joined,
                first,
            };
            let parts = [alone(0), part(0), part(width)];
            let output = attention_of_columns(parts, sizes, mask.as_ref()).unwrap();
            check(&results(output, &inputs), &expected, &what);

            // Values that are the keys: their gradients add up.
            let keys_twice = |inputs: &[Tensor<2>; 3]| [0, 1, 1].map(|i: usize| inputs[i].clone());
            let twice = [0, 1, 2].map(|index| leaf::<2>(&data[index], &plain));
            let output = composed(keys_twice(&twice), sizes, mask_on(&plain));
            let expected_twice = results(output, &twice[..2]);
            let output =
                attention_of_columns([alone(0), alone(1), alone(1)], sizes, mask.as_ref()).unwrap();
            check(&results(output, &inputs[..2]), &expected_twice, &what);

            if queries == length {
                let joined = Tensor::cat(inputs.to_vec(), 1);
                let parts = [0, 1, 2].map(|index| Columns {
                    tensor: &joined,
                    first: index * width,
                });
                let output = attention_of_columns(parts, sizes, mask.as_ref()).unwrap();
                check(&results(output, &inputs), &expected, &what);
            }
        }
    }
}

fn mask_of(
    [items, queries, length]: [usize; 3],
    hidden: impl Fn(usize, usize, usize) -> bool,
) -> TensorData {
    let mut elements = Vec::new();
    for item in 0..items {
        for query in 0..queries {
            elements.extend((0..length).map(|key| hidden(item, query, key)));
        }
    }
    TensorData::new(elements, [items, 1, queries, length])
}

#[test]
fn layers_that_are_joined_compute_what_they_compute_alone() {
    let mut random = Random(4);
    for (rows, [inputs, outputs]) in ROWS
        .into_iter()
        .zip([[3, 5], [33, 64], [48, 97], [600, 40]])
    {
        let x = random.data([rows, inputs]);
        let weights = [0, 1, 2].map(|_| random.data([inputs, outputs]));
        let biases = [0, 1, 2].map(|_| random.data([outputs]));
        let factors = random.data([rows, 3 * outputs]);
        let [found, expected] = devices().map(|device| {
            let x = leaf::<2>(&x, &device);
            let weights = weights.each_ref().map(|data| leaf::<2>(data, &device));
            let biases = biases.each_ref().map(|data| leaf::<1>(data, &device));
            let layers = [0, 1, 2].map(|index| {
                let mut layer = PackedLinearConfig::new(inputs, outputs).init(&device);
                set(&mut layer, &weights[index], Some(&biases[index]));
                layer
            });
            let [a, b, c] = &layers;
            let y = match PackedLinear::forward_joined([a, b, c], x.clone().into()) {
                Some(y) => y,
                None => Tensor::cat(PackedLinear::forward_all([a, b, c], x.clone()).to_vec(), 1),
            };
            let mut results = vec![y.clone().into_data()];
            let gradients = weighted(y, &factors).backward();
            results.push(x.grad(&gradients).unwrap().into_data());
            results.extend(weights.map(|weight| weight.grad(&gradients).unwrap().into_data()));
            results.extend(biases.map(|bias| bias.grad(&gradients).unwrap().into_data()));
            results
        });
        check(&found, &expected, &format!("{rows} {inputs} {outputs}"));
    }
}

#[test]
fn frozen_weights_and_inputs_get_no_gradients() {
    let mut random = Random(5);
    let [device, _] = devices();
    let data = [random.data([7, 12]), random.data([12, 9]), random.data([9])];
    let x = Tensor::<2>::from_data(data[0].clone(), &device);
    let frozen = Tensor::<2>::from_data(data[1].clone(), &device);
    let bias = leaf::<1>(&data[2], &device);
    let mut layer = PackedLinearConfig::new(12, 9).init(&device);
    set(&mut layer, &frozen, Some(&bias));
    layer.weight = packed_linear::LinearWeight::Ordinary(
        burn::module::Param::from_tensor(frozen).set_require_grad(false),
    );
    let gradients = layer.forward(x.clone()).sum().backward();
    assert!(x.grad(&gradients).is_none());
    let bias = bias.grad(&gradients).unwrap().into_data();
    assert_eq!(bias.try_into_vec::<f32>().unwrap(), [7.0; 9]);
}
