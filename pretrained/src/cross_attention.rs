//! Decoders that were trained without an encoder.

use checkpoint::{TensorSource, WeightGroup, WeightNames};

/// Whether a path is that of a part of cross-attention, or of its layer norm.
pub(crate) fn is_part(path: &str) -> bool {
    path.split('.')
        .any(|name| matches!(name, "cross_attention" | "cross_attention_norm"))
}

/// Whether a checkpoint of a decoder has layers, but none of them cross-attention. `groups` are the names of the decoder's
/// weights.
pub(crate) fn is_missing(groups: &[WeightGroup<'static>; 2], source: &dyn TensorSource) -> bool {
    let names = WeightNames {
        groups,
        ignored: &[],
    };
    let has = |part: fn(&str) -> bool| {
        let groups = groups.iter();
        let mut paths = groups.flat_map(|group| {
            let paths = group.names.iter().filter(move |(path, _, _)| part(path));
            paths.map(|(path, _, _)| format!("{}{}", group.module, path.replace("{}", "0")))
        });
        paths.any(|path| names.is_in(&path, source))
    };
    let is_other = |path: &str| path.starts_with("layers.") && !is_part(path);
    has(is_other) && !has(is_part)
}
