use checkpoint::{LoadError, TensorSource, WeightGroup, WeightNames};

use crate::LoadNotice;
use crate::families::DecoderConfig;

/// Decides whether the head of a decoder shares the table of token embeddings, as transformers 5 does.
///
/// If the configuration says so, but the weights have two tables with different values, both are used. If they have one,
/// under either name, or two with equal values, it is shared. If the configuration says that the head has its own table,
/// it has. `groups` are the names of the decoder's weights.
pub(crate) fn settle(
    decoder: &mut DecoderConfig,
    groups: &[WeightGroup<'static>; 2],
    source: &dyn TensorSource,
) -> Result<Vec<LoadNotice>, LoadError> {
    let [main, _] = groups;
    let names = WeightNames {
        groups: std::slice::from_ref(main),
        ignored: &[],
    };
    let mut notices = Vec::new();
    let [embeddings, head] = decoder
        .tied_paths()
        .map(|path| format!("{}{path}", main.module));
    let mut tables = names.names_in(&embeddings, source).into_iter();
    let Some(embeddings) = tables.next() else {
        return Ok(notices);
    };
    let origin = || source.origin().to_owned();
    for unused in tables {
        if !source.are_equal(&embeddings, &unused)? {
            notices.push(LoadNotice::UnusedEmbeddings {
                origin: origin(),
                unused,
                embeddings: embeddings.clone(),
            });
        }
    }
    if decoder.has_tied_head()
        && let Some(head) = names.name_in(&head, source)
        && !source.are_equal(&embeddings, &head)?
    {
        decoder.set_tied_head(false);
        notices.push(LoadNotice::HeadIsNotTied {
            origin: origin(),
            head,
            embeddings,
        });
    }
    Ok(notices)
}
