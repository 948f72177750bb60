use super::special::{BEGIN, END, MASK, PAD, SpecialToken, UNKNOWN};

/// The tokenizers of Hugging Face whose vocabulary files are read. Those of all others are read as `tokenizer.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A SentencePiece model with fairseq's ids and mBART-50's language codes.
    MBart50,
    /// A SentencePiece model with fairseq's ids.
    XlmRoberta,
    /// Byte-level BPE.
    Gpt2,
    /// Byte-level BPE between `<s>` and `</s>`.
    Roberta,
    /// WordPiece.
    Bert,
    /// A vocabulary of characters or of WordPiece, after a Japanese dictionary has split the words.
    BertJapanese,
}

/// Classes and the names that they have and had, without the ending `Fast`. Transformers 5 has one class for each.
const NAMES: [(Class, &[&str]); 6] = [
    (Class::MBart50, &["MBart50Tokenizer", "MBartTokenizer"]),
    (Class::XlmRoberta, &["XLMRobertaTokenizer"]),
    (Class::Gpt2, &["GPT2Tokenizer"]),
    (
        Class::Roberta,
        &[
            "RobertaTokenizer",
            "BartTokenizer",
            "LEDTokenizer",
            "LongformerTokenizer",
            "MvpTokenizer",
        ],
    ),
    (
        Class::Bert,
        &[
            "BertTokenizer",
            "ConvBertTokenizer",
            "DistilBertTokenizer",
            "ElectraTokenizer",
            "LayoutLMTokenizer",
            "LxmertTokenizer",
            "MobileBertTokenizer",
            "SqueezeBertTokenizer",
        ],
    ),
    (Class::BertJapanese, &["BertJapaneseTokenizer"]),
];

impl Class {
    /// The class with this name, or `None` if its files are not read here.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = name.strip_suffix("Fast").unwrap_or(name);
        let mut classes = NAMES.iter();
        Some(classes.find(|(_, names)| names.contains(&name))?.0)
    }

    /// The first name of each class.
    pub(super) fn names() -> Vec<&'static str> {
        NAMES.iter().map(|(_, names)| names[0]).collect()
    }

    /// The class that a model of this type has in most checkpoints.
    pub(super) fn of_model_type(model_type: &str) -> Option<Self> {
        Some(match model_type {
            "mbart" => Self::MBart50,
            "xlm-roberta" => Self::XlmRoberta,
            "gpt2" => Self::Gpt2,
            "roberta" | "bart" => Self::Roberta,
            "bert" | "distilbert" | "electra" => Self::Bert,
            _ => return None,
        })
    }

    /// The special tokens that a class has unless a file says otherwise.
    pub(super) fn special_tokens(self) -> &'static [(SpecialToken, &'static str)] {
        use SpecialToken::{Bos, Cls, Eos, Mask, Pad, Sep, Unk};
        const TEXT_END: &str = "<|endoftext|>";
        match self {
            Self::Gpt2 => &[(Bos, TEXT_END), (Eos, TEXT_END), (Unk, TEXT_END)],
            Self::MBart50 | Self::XlmRoberta | Self::Roberta => &[
                (Bos, BEGIN),
                (Eos, END),
                (Unk, UNKNOWN),
                (Sep, END),
                (Pad, PAD),
                (Cls, BEGIN),
                (Mask, MASK),
            ],
            Self::Bert | Self::BertJapanese => &[
                (Unk, "[UNK]"),
                (Sep, "[SEP]"),
                (Pad, "[PAD]"),
                (Cls, "[CLS]"),
                (Mask, "[MASK]"),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_class_had_is_the_class() {
        for (class, names) in NAMES {
            for name in names {
                assert_eq!(Class::of_name(name), Some(class));
                assert_eq!(Class::of_name(&format!("{name}Fast")), Some(class));
            }
        }
        for name in ["", "Fast", "bert", "T5Tokenizer", "PreTrainedTokenizerFast"] {
            assert_eq!(Class::of_name(name), None, "{name}");
        }
    }
}
