use checkpoint::{LoadError, TensorSource, WeightGroup, WeightNames};
use marian::MarianConfig;

use crate::LoadNotice;

/// The path of the decoder's token embeddings.
const EMBEDDINGS: &str = "decoder.embeddings.weight";
/// The path of the head's own table.
const HEAD: &str = "decoder.head.weight";
/// The path of the bias, which some checkpoints lack.
const BIAS: &str = "decoder.logits_bias";

/// Calls a function with the table of the model's weight names.
pub(super) fn with_names<R>(config: &MarianConfig, with: impl FnOnce(&WeightNames<'_>) -> R) -> R {
    let group = |names| WeightGroup {
        module: "",
        checkpoint: &[""],
        names,
    };
    let mut groups = Vec::new();
    if config.share_encoder_decoder_embeddings {
        groups.push(group(marian::SHARED_WEIGHTS));
    }
    groups.push(group(marian::WEIGHTS));
    if !config.share_encoder_decoder_embeddings {
        groups.push(group(marian::SEPARATE_WEIGHTS));
    }
    if config.tie_word_embeddings {
        groups.push(group(marian::TIED_WEIGHTS));
    }
    with(&WeightNames {
        groups: &groups,
        ignored: marian::IGNORED,
    })
}

/// Changes the configuration to what the weights have, as transformers does: tables of their own for the head and for each
/// language where values differ that should be the same, and no bias if there is none.
pub(super) fn settle(
    config: &mut MarianConfig,
    source: &dyn TensorSource,
) -> Result<Vec<LoadNotice>, LoadError> {
    let untied = MarianConfig {
        tie_word_embeddings: false,
        ..config.clone()
    };
    let names_in = |path| with_names(&untied, |names| names.names_in(path, source));
    let origin = || source.origin().to_owned();
    config.final_logits_bias = !names_in(BIAS).is_empty();
    let mut notices = Vec::new();
    let tables = names_in(EMBEDDINGS);
    if config.share_encoder_decoder_embeddings
        && let Some((first, others)) = tables.split_first()
    {
        for other in others {
            if config.share_encoder_decoder_embeddings && !source.are_equal(first, other)? {
                *config = config.clone().with_separate_embeddings();
                // Without tied weights nothing else is to be expected.
                if config.tie_word_embeddings {
                    notices.push(LoadNotice::EmbeddingsAreNotShared {
                        origin: origin(),
                        first: first.clone(),
                        second: other.clone(),
                    });
                }
            }
        }
    }
    let of_decoder = with_names(config, |names| names.name_in(EMBEDDINGS, source));
    if let (Some(embeddings), Some(head)) = (of_decoder, names_in(HEAD).pop())
        && config.tie_word_embeddings
        && head != embeddings
        && !source.are_equal(&embeddings, &head)?
    {
        config.tie_word_embeddings = false;
        notices.push(LoadNotice::HeadIsNotTied {
            origin: origin(),
            head,
            embeddings,
        });
    }
    *config = savable(config.clone());
    Ok(notices)
}

/// The same model in the form in which transformers 5 opens it: it ties either all tables or none.
pub(super) fn savable(config: MarianConfig) -> MarianConfig {
    match config.tie_word_embeddings {
        true => config,
        false => config.with_separate_embeddings(),
    }
}
