//! Kernels, Burn's operations on unpacked weights, and those with autodiff give the same results.

#![cfg(feature = "flex")]

use std::sync::Mutex;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Int, Tensor, Tolerance};
use packed_linear::{
    Activation, Format, Input, KeysValues, LayerNorm, PackedEmbedding, PackedLinear,
    PackedLinearConfig, attention,
};

/// All tests share the random generator of the device, so only one at a time may use it.
static RANDOM: Mutex<()> = Mutex::new(());

const FORMATS: [&str; 7] = [
    "f32", "bf16", "int8", "int8:8", "int4", "int4:8", "int4:128",
];

fn layer(format: Option<&str>, device: &Device) -> PackedLinear {
    device.seed(7);
    let layer = PackedLinearConfig::new(50, 70)
        .with_format(format.map(|format| format.parse().unwrap()))
        .init(device);
    layer.forward(input(device)); // initialises the parameters
    layer
}

fn input(device: &Device) -> Tensor<3> {
    let x: Vec<f32> = (0..2 * 3 * 50).map(|i| (i as f32 * 0.7).sin()).collect();
    Tensor::<1>::from_floats(x.as_slice(), device).reshape([2, 3, 50])
}

#[test]
fn autodiff_computes_what_kernels_do() {
    let _guard = RANDOM.lock();
    for format in FORMATS {
        let fast = layer(Some(format), &Device::flex());
        let slow = layer(Some(format), &Device::flex()).to_device(&Device::flex().autodiff());
        for activation in [
            Activation::Gelu,
            Activation::QuickGelu,
            Activation::Relu,
            Activation::Silu,
        ] {
            let ours = fast.forward_activated(input(&Device::flex()), activation);
            let device = Device::flex().autodiff();
            let theirs = slow.forward_activated(input(&device), activation);
            let tolerance = Tolerance::absolute(2e-5);
            let theirs = theirs.into_data();
            ours.into_data().assert_approx_eq::<f32>(&theirs, tolerance);
        }
    }
}

/// What a transformer's layer does on a device: normalises, multiplies twice and adds.
fn block(format: Option<&str>, device: &Device) -> [Tensor<3>; 3] {
    let first = layer(format, &Device::flex()).to_device(device);
    let second =
        PackedLinearConfig::new(70, 50).with_format(format.map(|text| text.parse().unwrap()));
    let second = second.init(&Device::flex()).to_device(device);
    let mut norm = LayerNorm::new(50, 1e-5, device);
    norm.gamma = norm.gamma.map(|gamma| gamma * 0.5);
    norm.beta = norm.beta.map(|beta| beta + 0.25);
    let normed = || Input::normed(&norm, input(device));
    let residual = input(device);
    let activated = first.forward_activated(normed(), Activation::Gelu);
    // First with a shared residual, then with one that can be overwritten.
    let added = second.forward_added(activated.clone(), residual.clone());
    assert_eq!(residual.to_data(), input(device).into_data());
    let in_place = second.forward_added(activated, residual);
    let [once_more] = PackedLinear::forward_all([&first], normed());
    [added, in_place, once_more]
}

#[test]
fn norms_and_residuals_are_those_of_burn() {
    let _guard = RANDOM.lock();
    for format in [
        None,
        Some("f32"),
        Some("bf16"),
        Some("int8"),
        Some("int4:8"),
    ] {
        let ours = block(format, &Device::flex());
        let theirs = block(format, &Device::flex().autodiff());
        // A value half-way between two that it can be rounded to may become either.
        let tolerance = match format {
            None | Some("f32") => 2e-5,
            _ => 0.05,
        };
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            let tolerance = Tolerance::absolute(tolerance);
            let theirs = theirs.into_data();
            ours.into_data().assert_approx_eq::<f32>(&theirs, tolerance);
        }
    }
}

#[test]
fn a_layer_norm_is_that_of_burn() {
    let norm_of = |device: &Device| {
        let mut norm = LayerNorm::new(50, 1e-5, device);
        norm.gamma = norm.gamma.map(|gamma| gamma * 0.5);
        norm.beta = norm.beta.map(|beta| beta + 0.25);
        norm.forward(input(device) + 3.0).into_data()
    };
    let theirs = norm_of(&Device::flex().autodiff());
    norm_of(&Device::flex()).assert_approx_eq::<f32>(&theirs, Tolerance::absolute(1e-5));
}

#[test]
#[should_panic(expected = "residual")]
fn a_residual_of_another_shape_is_refused() {
    let layer = {
        let _guard = RANDOM.lock();
        layer(Some("f32"), &Device::flex())
    };
    layer.forward_added(
        input(&Device::flex()),
        Tensor::zeros([3, 2, 70], &Device::flex()),
    );
}

#[test]
fn gradients_pass_through_packed_weights() {
    let _guard = RANDOM.lock();
    let device = Device::flex().autodiff();
    let layer = layer(Some("int8"), &Device::flex()).to_device(&device);
    let x = input(&device).require_grad();
    let gradients = layer.forward(x.clone()).sum().backward();
    let found = x.grad(&gradients).unwrap();
    // The gradient of each input is the sum of its weights, which are the layer's outputs for a one.
    let ones = Tensor::<2>::eye(50, &Device::flex());
    let weights = layer.to_device(&Device::flex()).forward(ones);
    let expected = weights.sum_dim(1).reshape([1, 1, 50]).repeat(&[2, 3, 1]);
    found
        .into_data()
        .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-4));
}

#[test]
fn a_seed_gives_the_same_layer_packed_and_not() {
    let _guard = RANDOM.lock();
    let device = Device::flex();
    let ordinary = layer(None, &device).forward(input(&device)).into_data();
    for (format, tolerance) in [
        ("f32", 1e-5),
        ("bf16", 0.03),
        ("int8", 0.05),
        ("int4:8", 0.6),
    ] {
        let packed = layer(Some(format), &device).forward(input(&device));
        packed
            .into_data()
            .assert_approx_eq::<f32>(&ordinary, Tolerance::absolute(tolerance));
    }
}

#[test]
fn rows_of_a_packed_table_are_what_it_multiplies_by() {
    let _guard = RANDOM.lock();
    let device = Device::flex();
    for format in FORMATS {
        device.seed(3);
        let initializer = burn::nn::Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        let format: Format = format.parse().unwrap();
        let table = PackedEmbedding::new(100, 24, &initializer, Some(format), &device);
        let ids = Tensor::<2, Int>::from_data([[0, 99, 31], [32, 5, 5]], &device);
        let rows = table.forward(ids);
        assert_eq!(rows.dims(), [2, 3, 24]);
        // A few rows, in another order.
        let some = table.select(&[0, 99, 31, 32, 5]);
        let ids = Tensor::<2, Int>::from_data([[0, 1, 2], [3, 4, 4]], &device);
        assert_eq!(some.forward(ids).into_data(), rows.into_data());
        let x = Tensor::<2>::random([3, 24], Distribution::Default, &device);
        let all = table
            .scores(x.clone(), None)
            .select(1, Tensor::<1, Int>::from_data([0, 99, 31, 32, 5], &device));
        assert_eq!(some.scores(x, None).into_data(), all.into_data());
    }
}

#[test]
fn attention_is_that_of_burn_whatever_the_strides() {
    let _guard = RANDOM.lock();
    let device = Device::flex();
    device.seed(5);
    // Few queries, many, and many with heads that don't fill vectors.
    for (queries, head_width) in [(2, 20), (9, 64), (8, 32), (10, 20)] {
        compare_attention(queries, head_width, &device);
    }
}

fn compare_attention(queries: usize, head_width: usize, device: &Device) {
    let (batch, heads, length) = (3, 4, 9);
    let random =
        |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), device);
    // Keys in a cache with unused positions, values in the layout of a linear layer's output.
    let keys = random([batch, heads, 16, head_width]);
    let values = random([batch, 16, heads, head_width]).swap_dims(1, 2);
    let query = random([batch, queries, heads, head_width]);
    let flat = query.clone().reshape([batch * queries, heads * head_width]);
    let slots: Vec<u32> = (0..batch * length)
        .map(|place| (place * 7 % batch) as u32)
        .collect();
    for table in [None, Some(slots.as_slice())] {
        let keys_values = KeysValues {
            keys: &keys,
            values: &values,
            length,
            slots: table,
        };
        let ours = attention(&flat, batch, keys_values, true).unwrap();
        let weights = ours.weights.unwrap();
        assert_eq!(weights.dims(), [batch, heads, queries, length]);
        let sums = weights.sum_dim(3).into_data();
        let ones = Tensor::<4>::ones([batch, heads, queries, 1], device).into_data();
        sums.assert_approx_eq::<f32>(&ones, Tolerance::absolute(1e-6));
        let ours = ours.context;
        let gathered = |all: &Tensor<4>| match table {
            None => all.clone().slice([0..batch, 0..heads, 0..length]),
            Some(slots) => {
                let rows = (0..batch).map(|item| {
                    let positions = (0..length).map(|position| {
                        let slot = slots[item * length + position] as usize;
                        all.clone()
                            .slice([slot..slot + 1, 0..heads, position..position + 1])
                    });
                    Tensor::cat(positions.collect(), 2)
                });
                Tensor::cat(rows.collect(), 0)
            }
        };
        let theirs = burn::tensor::module::attention(
            query.clone().swap_dims(1, 2),
            gathered(&keys),
            gathered(&values),
            None,
            None,
            Default::default(),
        );
        let theirs = theirs
            .swap_dims(1, 2)
            .reshape([batch * queries, heads * head_width]);
        let tolerance = Tolerance::absolute(1e-5);
        ours.into_data()
            .assert_approx_eq::<f32>(&theirs.into_data(), tolerance);
    }
}
