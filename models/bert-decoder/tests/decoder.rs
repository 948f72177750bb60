//! Comparisons with transformers, and tests of the decoder's states. `model-tests/make_reference.py` made the small
//! checkpoints in `data`; others are read if they are beside the repository.

use bert_decoder::{
    BERT_TIED_WEIGHTS, BERT_UNTIED_WEIGHTS, BERT_WEIGHTS, BertDecoder, BertDecoderConfig,
    ROBERTA_TIED_WEIGHTS, ROBERTA_UNTIED_WEIGHTS, ROBERTA_WEIGHTS, RobertaDecoderConfig,
};
use burn::tensor::Device;
use model_tests::{Family, WeightTables, decoder_tests};
use packed_linear::Format;
use serde_json::Value;

struct Bert;

impl Family for Bert {
    type Decoder = BertDecoder;

    fn init(config: Value, format: Option<Format>, device: &Device) -> (BertDecoder, WeightTables) {
        let config = BertDecoderConfig::from_value(config).unwrap();
        let decoder = match format {
            Some(format) => config.init_packed(format, device),
            None => config.init(device),
        };
        let further = match config.tie_word_embeddings {
            true => BERT_TIED_WEIGHTS,
            false => BERT_UNTIED_WEIGHTS,
        };
        (decoder, [BERT_WEIGHTS, further])
    }
}

struct Roberta;

impl Family for Roberta {
    type Decoder = BertDecoder;

    fn init(config: Value, format: Option<Format>, device: &Device) -> (BertDecoder, WeightTables) {
        let config = RobertaDecoderConfig::from_value(config).unwrap();
        let decoder = match format {
            Some(format) => config.init_packed(format, device),
            None => config.init(device),
        };
        let further = match config.0.tie_word_embeddings {
            true => ROBERTA_TIED_WEIGHTS,
            false => ROBERTA_UNTIED_WEIGHTS,
        };
        (decoder, [ROBERTA_WEIGHTS, further])
    }
}

mod bert {
    use super::*;
    decoder_tests!(Bert, "tests/data/bert");
}

mod roberta {
    use super::*;
    decoder_tests!(Roberta, "tests/data/roberta");
}

mod vit_bert {
    use super::*;
    decoder_tests!(Bert, "../../../shared/oracle/auto/vit-bert");
}

mod deit_roberta {
    use super::*;
    decoder_tests!(Roberta, "../../../shared/oracle/auto/deit-roberta");
}
