use burn::tensor::{Device, Tensor};
use packed_linear::Format;
use vision_encoder_decoder::Decoder;

use crate::reference::{Family, Reference, logits, relative_difference};

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
    // The weights of the references are large, and errors of all layers add up.
    for (format, tolerance) in [
        (Format::F32, 1e-5),
        (Format::BF16, 0.1),
        (Format::INT8, 0.3),
        (Format::INT4, 2.0),
    ] {
        let difference = relative_difference(with(Some(format)), ordinary.clone());
        eprintln!("{format}: {difference:e} of the largest logit");
        assert!(difference <= tolerance, "{format}: {difference}");
    }
}
