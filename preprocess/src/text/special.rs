//! The special tokens of mBART-50.

/// The first tokens of fairseq's vocabularies, in the order of their ids.
pub(super) const FAIRSEQ: [&str; 4] = [BEGIN, PAD, END, UNKNOWN];
pub(super) const BEGIN: &str = "<s>";
pub(super) const PAD: &str = "<pad>";
/// The token that ends every text.
pub(super) const END: &str = "</s>";
pub(super) const UNKNOWN: &str = "<unk>";
/// The last token of the vocabulary, after the language codes.
pub(super) const MASK: &str = "<mask>";

/// Hugging Face's names for the special tokens that every mBART-50 tokenizer has.
pub(super) const NAMED: [(&str, &str); 6] = [
    ("cls_token", BEGIN),
    ("eos_token", END),
    ("mask_token", MASK),
    ("pad_token", PAD),
    ("sep_token", END),
    ("unk_token", UNKNOWN),
];
