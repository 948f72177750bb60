//! Packed weights give the same results on every device, with kernels and without. Tests of `packed-linear`
//! compare the kernels with each other.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Activation, PackedLinearConfig};

use crate::devices::{assert_close, on_every_device, values};

#[test]
fn packed_layers_give_the_same_everywhere() {
    let flex = Device::flex();
    let inputs: Vec<f32> = (0..3 * 50)
        .map(|index| (index as f32 * 0.7).sin())
        .collect();
    let input =
        |device: &Device| Tensor::<1>::from_floats(inputs.as_slice(), device).reshape([3, 50]);
    for format in ["f32", "bf16", "int8", "int8:8", "int4:8"] {
        let layer = PackedLinearConfig::new(50, 70)
            .with_format(Some(format.parse().unwrap()))
            .init(&flex);
        let expected = layer.forward_activated(input(&flex), Activation::Gelu);
        let expected = values(expected);
        on_every_device(|name, device| {
            let layer = layer.clone().to_device(device);
            let found = values(layer.forward_activated(input(device), Activation::Gelu));
            let apart = assert_close(name, &found, &expected, 5e-5);
            println!("{format} on {name}: {apart:.1e}");
        });
    }
}
