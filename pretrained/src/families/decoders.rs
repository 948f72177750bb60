use burn::tensor::{Bool, Int, Tensor};
use transformer_layers::{DecoderState, Shortlist};
use vision_encoder_decoder::{Decoder, Memory};

use super::family::{DecoderFamily, Family};
use super::table::table;

/// Defines the two enums of a table of decoders, and delegates each call to the crate of the entry.
macro_rules! decoders {
    ($($(#[$doc:meta])* $name:ident: $config:ty => $model:ty;)*) => {
        table! {
            "decoder", Decoder,
            /// A text decoder of any supported family.
            TextDecoder,
            /// The configuration of a [`TextDecoder`].
            DecoderConfig,
            $($(#[$doc])* $name: $config => $model;)*
        }

        impl Decoder for TextDecoder {
            type State = DecoderState;

            fn vocab_size(&self) -> usize {
                match self {
                    $(Self::$name(model) => model.vocab_size()),*
                }
            }

            fn max_positions(&self) -> Option<usize> {
                match self {
                    $(Self::$name(model) => model.max_positions()),*
                }
            }

            fn start(&self, memory: Memory, row_sources: &[usize]) -> DecoderState {
                match self {
                    $(Self::$name(model) => model.start(memory, row_sources)),*
                }
            }

            fn forward(
                &self,
                tokens: Tensor<2, Int>,
                padding: Option<Tensor<2, Bool>>,
                state: &mut DecoderState,
            ) -> Tensor<3> {
                match self {
                    $(Self::$name(model) => model.forward(tokens, padding, state)),*
                }
            }

            fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
                match self {
                    $(Self::$name(model) => model.logits(hidden)),*
                }
            }

            fn shortlist(&self, tokens: &[u32]) -> Option<Shortlist> {
                match self {
                    $(Self::$name(model) => model.shortlist(tokens)),*
                }
            }

            fn select_rows(&self, state: &mut DecoderState, parents: &[usize]) {
                match self {
                    $(Self::$name(model) => model.select_rows(state, parents)),*
                }
            }

            fn can_join(&self, state: &DecoderState, other: &DecoderState) -> bool {
                match self {
                    $(Self::$name(model) => model.can_join(state, other)),*
                }
            }

            fn join(&self, state: &mut DecoderState, other: DecoderState) {
                match self {
                    $(Self::$name(model) => model.join(state, other)),*
                }
            }

            fn record_attention(&self, state: &mut DecoderState) {
                match self {
                    $(Self::$name(model) => model.record_attention(state)),*
                }
            }

            fn recorded_attention(&self, state: &DecoderState) -> Option<Vec<Tensor<3>>> {
                match self {
                    $(Self::$name(model) => model.recorded_attention(state)),*
                }
            }
        }

        impl DecoderConfig {
            /// The path of a parameter that only some checkpoints have, and that no configuration mentions.
            pub(crate) fn optional_path(&self) -> Option<String> {
                let (name, path) = match self {
                    $(Self::$name(_) => (stringify!($name), <$config as DecoderFamily>::OPTIONAL?)),*
                };
                Some(format!("decoder.{name}.{path}"))
            }

            /// Adds or removes the parameter of [`optional_path`](Self::optional_path).
            pub(crate) fn set_optional(&mut self, exists: bool) {
                match self {
                    $(Self::$name(config) => config.set_optional(exists)),*
                }
            }

            /// The path of the head's bias, if it has one.
            pub(crate) fn bias_path(&self) -> Option<String> {
                let (name, path) = match self {
                    $(Self::$name(_) => (stringify!($name), <$config as DecoderFamily>::BIAS?)),*
                };
                Some(format!("decoder.{name}.{path}"))
            }

            /// Width of the memory that it attends to.
            pub fn memory_width(&self) -> usize {
                match self {
                    $(Self::$name(config) => DecoderFamily::memory_width(config)),*
                }
            }

            /// The width that an encoder must have, if the configuration says so.
            pub(crate) fn expected_encoder_width(&self) -> Option<usize> {
                match self {
                    $(Self::$name(config) => config.expected_encoder_width()),*
                }
            }

            /// The paths of the token embeddings and of the head's own table, without the prefix of the model.
            pub(crate) fn tied_paths(&self) -> [&'static str; 2] {
                match self {
                    $(Self::$name(_) => [
                        <$config as DecoderFamily>::EMBEDDINGS,
                        <$config as DecoderFamily>::HEAD,
                    ]),*
                }
            }

            /// Whether the head shares the table of token embeddings.
            pub fn has_tied_head(&self) -> bool {
                match self {
                    $(Self::$name(config) => config.has_tied_head()),*
                }
            }

            /// Sets whether the head shares the table of token embeddings.
            pub(crate) fn set_tied_head(&mut self, tied: bool) {
                match self {
                    $(Self::$name(config) => config.set_tied_head(tied)),*
                }
            }

            /// What transformers does not have of a model of this configuration, in words.
            pub(crate) fn unknown_to_transformers(&self) -> Option<&'static str> {
                match self {
                    $(Self::$name(config) => config.unknown_to_transformers()),*
                }
            }

            /// Tokens that the head scores.
            pub fn vocab_size(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.vocab_size()),*
                }
            }

            /// Sets the number of tokens.
            pub(crate) fn set_vocab_size(&mut self, vocab_size: usize) {
                match self {
                    $(Self::$name(config) => config.set_vocab_size(vocab_size)),*
                }
            }

            /// Layers of the decoder.
            pub fn layers(&self) -> usize {
                match self {
                    $(Self::$name(config) => config.layers()),*
                }
            }

            /// Longest text, in tokens.
            pub fn max_positions(&self) -> usize {
                match self {
                    $(Self::$name(config) => DecoderFamily::max_positions(config)),*
                }
            }
        }
    };
}

decoders! {
    /// mBART's decoder.
    MBart: mbart50_decoder::MBartDecoderConfig => mbart50_decoder::MBartDecoder;
    /// GPT-2.
    Gpt2: gpt2_decoder::Gpt2DecoderConfig => gpt2_decoder::Gpt2Decoder;
    /// BERT.
    Bert: bert_decoder::BertDecoderConfig => bert_decoder::BertDecoder;
    /// RoBERTa, XLM-RoBERTa and CamemBERT.
    Roberta: bert_decoder::RobertaDecoderConfig => bert_decoder::BertDecoder;
    /// TrOCR's decoder.
    Trocr: trocr_decoder::TrocrDecoderConfig => trocr_decoder::TrocrDecoder;
}
