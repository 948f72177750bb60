//! Comparisons with transformers, and tests of the decoder's states. `model-tests/make_reference.py` made the small
//! checkpoints in `data`; others are read if they are beside the repository.

use burn::tensor::Device;
use gpt2_decoder::{Gpt2Decoder, Gpt2DecoderConfig, TIED_WEIGHTS, WEIGHTS};
use model_tests::{Family, WeightTables, decoder_tests};
use packed_linear::Format;
use serde_json::Value;

struct Gpt2;

impl Family for Gpt2 {
    type Decoder = Gpt2Decoder;

    fn init(config: Value, format: Option<Format>, device: &Device) -> (Gpt2Decoder, WeightTables) {
        let config = Gpt2DecoderConfig::from_value(config).unwrap();
        let decoder = match format {
            Some(format) => config.init_packed(format, device),
            None => config.init(device),
        };
        let further: &'static [_] = match config.tie_word_embeddings {
            true => TIED_WEIGHTS,
            false => &[],
        };
        (decoder, [WEIGHTS, further])
    }
}

mod tied {
    use super::*;
    decoder_tests!(Gpt2, "tests/data/tied");
}

/// With a head of its own, and scores of attention that are scaled by layer.
mod untied {
    use super::*;
    decoder_tests!(Gpt2, "tests/data/untied");
}

mod vit_gpt2 {
    use super::*;
    decoder_tests!(Gpt2, "../../../shared/oracle/auto/vit-gpt2");
}

mod swin_gpt2 {
    use super::*;
    decoder_tests!(Gpt2, "../../../shared/oracle/auto/swin-gpt2");
}
