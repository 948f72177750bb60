//! BLEU (Papineni et al. 2002) as four public programs compute it. They count alike and differ in tokens, in what they
//! do where no n-gram matches, and in the penalty for short texts.

mod batch;
mod coco;
mod counts;
mod sacre;
mod word;

pub(crate) use counts::{Counts, ngrams};

pub use batch::BatchBleu;
pub use coco::CocoBleu;
pub use sacre::SacreBleu;
pub use word::WordBleu;
