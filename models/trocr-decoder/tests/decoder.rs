//! Comparisons with transformers, and tests of the decoder's states. `model-tests/make_reference.py` made the small
//! checkpoints in `data`; others are read if they are beside the repository.

use burn::tensor::Device;
use model_tests::{Family, WeightTables, decoder_tests};
use packed_linear::Format;
use serde_json::Value;
use trocr_decoder::{TIED_WEIGHTS, TrocrDecoder, TrocrDecoderConfig, WEIGHTS};

struct Trocr;

impl Family for Trocr {
    type Decoder = TrocrDecoder;

    fn init(
        config: Value,
        format: Option<Format>,
        device: &Device,
    ) -> (TrocrDecoder, WeightTables) {
        let config = TrocrDecoderConfig::from_value(config).unwrap();
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

mod learned_positions {
    use super::*;
    decoder_tests!(Trocr, "tests/data/learned");
}

mod sines_and_cosines {
    use super::*;
    decoder_tests!(Trocr, "tests/data/sinusoidal");
}

mod vit_trocr {
    use super::*;
    decoder_tests!(Trocr, "../../../shared/oracle/auto/vit-trocr");
}

mod deit_trocr {
    use super::*;
    decoder_tests!(Trocr, "../../../shared/oracle/auto/deit-trocr");
}
