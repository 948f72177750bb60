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
    if config.tie_word_embeddings {
        groups.push(group(marian::TIED_WEIGHTS));
    }
    with(&WeightNames {
        groups: &groups,
        ignored: marian::IGNORED,
    })
}

/// Changes the configuration to what the weights have, as transformers does: a head of its own if its values differ
/// from those that it should share, and no bias if there is none.
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
    let mut tables = names_in(EMBEDDINGS).into_iter();
    let Some(embeddings) = tables.next() else {
        return Ok(notices);
    };
    for unused in tables {
        if !source.are_equal(&embeddings, &unused)? {
            notices.push(LoadNotice::UnusedEmbeddings {
                origin: origin(),
                unused,
                embeddings: embeddings.clone(),
            });
        }
    }
    for head in names_in(HEAD) {
        if config.tie_word_embeddings && !source.are_equal(&embeddings, &head)? {
            config.tie_word_embeddings = false;
            notices.push(LoadNotice::HeadIsNotTied {
                origin: origin(),
                head,
                embeddings: embeddings.clone(),
            });
        }
    }
    Ok(notices)
}
