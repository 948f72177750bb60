use burn::tensor::{Device, Tensor};
use packed_linear::Format;
use vision_encoder_decoder::Decoder;

use crate::reference::{Family, Reference, logits};

/// Packed weights of every format compute what ordinary ones do, as precisely as their bits allow.
pub fn packed_weights_compute_nearly_the_same<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let tokens = reference.varied(3, 9, &device);
    let with = |format: Option<Format>| -> Tensor<3> {
        let decoder = reference.load::<F>(format, &device);
        let mut state = decoder.start(reference.memory(&device), &[0, 1, 2]);
        logits(&decoder, tokens.clone(), None, &mut state)
    };
    let ordinary = with(None);
    // The weights of the references are large, and errors of all layers add up. Logits of zero have an error of 1,
    // unrelated ones of about 2.
    for (format, tolerance) in [
        (Format::F32, 1e-11),
        (Format::BF16, 1e-3),
        (Format::INT8, 1e-2),
        (Format::INT4, 0.4),
    ] {
        let error = relative_squared_error(with(Some(format)), ordinary.clone());
        eprintln!("{format}: {error:e} of the squared logits");
        assert!(error <= tolerance, "{format}: {error}");
    }
    let unrelated = ordinary.clone().flip([2]);
    let error = relative_squared_error(unrelated, ordinary);
    assert!(
        error > 0.5,
        "the order of logits makes a difference of {error} only"
    );
}

/// Σ(a−b)² / Σb²
fn relative_squared_error<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    let square = |x: Tensor<D>| x.powi_scalar(2).sum().into_scalar::<f32>();
    square(a - b.clone()) / square(b)
}
