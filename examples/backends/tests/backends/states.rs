//! What the encoder and the decoder compute, without search.

use crate::devices::{STATES, assert_close, numbers, on_every_device};
use crate::reference::{Tensors, load};

#[test]
fn hidden_states_and_logits_are_those_of_transformers() {
    let reference = Tensors::read();
    on_every_device(|name, device| {
        let model = load(device).model;
        let hidden = model.encoder.forward(reference.pixel_values(device));
        let pooled = model.encoder.pool(hidden.clone());
        let memory = model.project(hidden.clone().into());
        let logits = model.forward_from(
            memory.clone(),
            &[0, 1, 2],
            reference.tokens(device),
            Some(reference.padding(device)),
        );
        for (tensor, found) in [
            ("encoder_last_hidden_state", numbers(hidden)),
            ("encoder_pooler_output", numbers(pooled)),
            ("decoder_memory", numbers(memory.hidden)),
            ("logits", numbers(logits)),
        ] {
            let what = format!("{tensor} on {name}");
            let apart = assert_close(&what, &found, &reference.floats(tensor), STATES);
            println!("{what}: {apart:.1e}");
        }
    });
}
