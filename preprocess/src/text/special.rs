//! Special tokens: the roles that Hugging Face gives them, and those of mBART-50.

use std::fmt;

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

/// The role of a special token, with Hugging Face's names.
///
/// ```
/// use preprocess::text::{SpecialToken, Tokenizer};
///
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/text");
/// let tokenizer = Tokenizer::from_folder(folder)?;
/// assert_eq!(tokenizer.special_token(SpecialToken::Eos), Some("</s>"));
/// assert_eq!(tokenizer.special_token_id(SpecialToken::Eos), Some(2));
/// # Ok::<(), preprocess::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpecialToken {
    /// `bos_token`, which begins a text.
    Bos,
    /// `eos_token`, which ends a text.
    Eos,
    /// `unk_token`, for what the vocabulary lacks.
    Unk,
    /// `sep_token`, between or after texts in BERT and its relatives.
    Sep,
    /// `pad_token`, which makes the rows of a batch equally long.
    Pad,
    /// `cls_token`, which begins a text in BERT and its relatives.
    Cls,
    /// `mask_token`, for a word that a model has to guess.
    Mask,
}

impl SpecialToken {
    /// Every role, in the order in which Hugging Face adds their tokens.
    pub const ALL: [Self; 7] = [
        Self::Bos,
        Self::Eos,
        Self::Unk,
        Self::Sep,
        Self::Pad,
        Self::Cls,
        Self::Mask,
    ];

    /// The key of `tokenizer_config.json`, such as `"bos_token"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bos => "bos_token",
            Self::Eos => "eos_token",
            Self::Unk => "unk_token",
            Self::Sep => "sep_token",
            Self::Pad => "pad_token",
            Self::Cls => "cls_token",
            Self::Mask => "mask_token",
        }
    }

    /// How published tokenizers spell the token, for a tokenizer that does not say it.
    fn usual(self) -> &'static [&'static str] {
        match self {
            Self::Bos => &[BEGIN, "<|endoftext|>"],
            Self::Eos => &[END, "<|endoftext|>"],
            Self::Unk => &[UNKNOWN, "[UNK]", "<|endoftext|>"],
            Self::Sep => &[END, "[SEP]"],
            Self::Pad => &[PAD, "[PAD]"],
            Self::Cls => &[BEGIN, "[CLS]"],
            Self::Mask => &[MASK, "[MASK]"],
        }
    }
}

impl fmt::Display for SpecialToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The special tokens of a tokenizer by their roles.
#[derive(Clone, Debug, Default)]
pub(super) struct SpecialTokens([Option<String>; SpecialToken::ALL.len()]);

impl SpecialTokens {
    pub(super) fn get(&self, role: SpecialToken) -> Option<&str> {
        self.0[role as usize].as_deref()
    }

    pub(super) fn set(&mut self, role: SpecialToken, token: impl Into<String>) {
        self.0[role as usize] = Some(token.into());
    }

    /// The tokens of all roles, some of which may be the same.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SpecialToken, &str)> {
        SpecialToken::ALL
            .into_iter()
            .filter_map(|role| Some((role, self.get(role)?)))
    }

    /// The usual tokens that a tokenizer has: those for which `exists` is true.
    pub(super) fn usual(exists: impl Fn(&str) -> bool) -> Self {
        let mut tokens = Self::default();
        for role in SpecialToken::ALL {
            let mut spellings = role.usual().iter();
            if let Some(token) = spellings.find(|token| exists(token)) {
                tokens.set(role, *token);
            }
        }
        tokens
    }
}
