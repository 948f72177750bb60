//! Whatever multiplies, the results are the same: kernels, Burn's own operations on unpacked weights,
//! and those under automatic differentiation.

#![cfg(feature = "flex")]

use std::sync::Mutex;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Int, Tensor, Tolerance};
use packed_linear::{
    Activation, Format, Input, KeysValues, LayerNorm, PackedEmbedding, PackedLinear,
    PackedLinearConfig, attention,
};

/// The random numbers of a device are the whole process's, so one test at a time draws them.
static RANDOM: Mutex<()> = Mutex::new(());

const FORMATS: [&str; 7] = [
    "f32", "bf16", "int8", "int8:8", "int4", "int4:8", "int4:128",
];

fn layer(format: Option<&str>, device: &Device) -> PackedLinear {
    device.seed(7);
    let layer = PackedLinearConfig::new(50, 70)
        .with_format(format.map(|format| format.parse().unwrap()))
        .init(device);
    layer.forward(input(device)); // numbers are drawn when they are first needed
    layer
}

fn input(device: &Device) -> Tensor<3> {
    let x: Vec<f32> = (0..2 * 3 * 50).map(|i| (i as f32 * 0.7).sin()).collect();
    Tensor::<1>::from_floats(x.as_slice(), device).reshape([2, 3, 50])
}

#[test]
fn automatic_differentiation_computes_what_kernels_do() {
    let _guard = RANDOM.lock();
    for format in FORMATS {
        let fast = layer(Some(format), &Device::flex());
        let slow = layer(Some(format), &Device::flex()).to_device(&Device::flex().autodiff());
        for activation in [Activation::Gelu, Activation::QuickGelu, Activation::Relu] {
            let ours = fast.forward_activated(input(&Device::flex()), activation);
            let device = Device::flex().autodiff();
            let theirs = slow.forward_activated(input(&device), activation);
            let tolerance = Tolerance::absolute(2e-5);
            let theirs = theirs.into_data();
            ours.into_data().assert_approx_eq::<f32>(&theirs, tolerance);
        }
    }
}

/// What a transformer's layer does with one kind of device: normalises, multiplies twice and adds.
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
    // The residual is still needed, then not.
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
        // A number that lies between two that it may be rounded to can become either.
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
    // Each input's is the sum of its weights.
    let packed = layer.packed.as_ref().unwrap();
    let outputs: Vec<usize> = (0..70).collect();
    let mut expected = [0.0; 50];
    for row in packed.rows(&outputs).chunks(50) {
        expected
            .iter_mut()
            .zip(row)
            .for_each(|(sum, weight)| *sum += weight);
    }
    let found = found.into_data().try_into_vec_as::<f32>().unwrap();
    for (place, found) in found.iter().enumerate() {
        assert!((found - expected[place % 50]).abs() < 1e-4);
    }
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
        // Few of them, in the order that is asked for.
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
fn attention_is_that_of_burn_wherever_keys_stand() {
    let _guard = RANDOM.lock();
    let device = Device::flex();
    device.seed(5);
    // Few queries, many, and many with heads that are no whole vectors.
    for (queries, head_width) in [(2, 20), (9, 64), (8, 32), (10, 20)] {
        compare_attention(queries, head_width, &device);
    }
}

fn compare_attention(queries: usize, head_width: usize, device: &Device) {
    let (batch, heads, length) = (3, 4, 9);
    let random =
        |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), device);
    // Keys in room that is larger, values as a linear layer gives them.
    let keys = random([batch, heads, 16, head_width]);
    let values = random([batch, 16, heads, head_width]).swap_dims(1, 2);
    let query = random([batch, queries, heads, head_width]);
    let flat = query.clone().reshape([batch * queries, heads * head_width]);
    let slots: Vec<u32> = (0..batch * length)
        .map(|place| (place * 7 % batch) as u32)
        .collect();
    for named in [None, Some(slots.as_slice())] {
        let keys_values = KeysValues {
            keys: &keys,
            values: &values,
            length,
            slots: named,
        };
        let ours = attention(&flat, batch, keys_values, true).unwrap();
        let weights = ours.weights.unwrap();
        assert_eq!(weights.dims(), [batch, heads, queries, length]);
        let sums = weights.sum_dim(3).into_data();
        let ones = Tensor::<4>::ones([batch, heads, queries, 1], device).into_data();
        sums.assert_approx_eq::<f32>(&ones, Tolerance::absolute(1e-6));
        let ours = ours.context;
        let gathered = |all: &Tensor<4>| match named {
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
