//! Hidden states and logits, without a search.

use pretrained::ImageEncoder;
use vision_encoder_decoder::Encoder;

use crate::devices::{STATES, assert_close, on_every_device, values};
use crate::reference::{Tensors, load};

#[test]
fn hidden_states_and_logits_are_those_of_transformers() {
    let reference = Tensors::read();
    on_every_device(|name, device| {
        let model = load(device).model;
        let encoded = model.encoder.encode(reference.pixel_values(device));
        let hidden = encoded.hidden.clone();
        let ImageEncoder::ClipVision(encoder) = &model.encoder else {
            panic!("the reference's encoder is CLIP's");
        };
        let pooled = encoder.pool(hidden.clone());
        let memory = model.project(encoded);
        let logits = model.forward_from(
            memory.clone(),
            &[0, 1, 2],
            reference.tokens(device),
            Some(reference.padding(device)),
        );
        for (tensor, found) in [
            ("encoder_last_hidden_state", values(hidden)),
            ("encoder_pooler_output", values(pooled)),
            ("decoder_memory", values(memory.hidden)),
            ("logits", values(logits)),
        ] {
            let what = format!("{tensor} on {name}");
            let apart = assert_close(&what, &found, &reference.floats(tensor), STATES);
            println!("{what}: {apart:.1e}");
        }
    });
}
