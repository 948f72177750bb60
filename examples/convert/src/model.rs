use checkpoint::{Precision, SaveError, SaveOptions, StagedFolder};
use pretrained::{LoadNotice, Pretrained, PretrainedTranslator};

/// A model of one of the kinds that are converted. Both are large.
pub(crate) enum Model {
    Captioner(Box<Pretrained>),
    Translator(Box<PretrainedTranslator>),
}

impl Model {
    /// The precision that most values of its checkpoint are stored in.
    pub(crate) fn precision(&self) -> Precision {
        match self {
            Self::Captioner(model) => model.precision,
            Self::Translator(model) => model.precision,
        }
    }

    pub(crate) fn notices(&self) -> &[LoadNotice] {
        match self {
            Self::Captioner(model) => &model.notices,
            Self::Translator(model) => &model.notices,
        }
    }

    /// The parts of the model, in words, that transformers ignores.
    pub(crate) fn unknown_to_transformers(&self) -> Vec<&'static str> {
        match self {
            Self::Captioner(model) => model.unknown_to_transformers(),
            Self::Translator(_) => Vec::new(),
        }
    }

    pub(crate) fn num_params(&self) -> usize {
        match self {
            Self::Captioner(model) => model.num_params(),
            Self::Translator(model) => model.num_params(),
        }
    }

    /// The tokens that the model reads, and those that it writes.
    pub(crate) fn vocabularies(&self) -> [usize; 2] {
        match self {
            Self::Captioner(model) => [model.config.decoder.vocab_size(); 2],
            Self::Translator(model) => [model.config.vocab_size, model.config.target_vocab_size()],
        }
    }

    /// The files that are a tokenizer of such a model, for a message.
    pub(crate) fn tokenizer_to_put(&self) -> &'static str {
        match self {
            Self::Captioner(_) => {
                "sentencepiece.bpe.model or tokenizer.json of facebook/mbart-large-50"
            }
            Self::Translator(_) => "source.spm, target.spm and vocab.json of its original",
        }
    }

    pub(crate) fn write(
        &self,
        staged: &StagedFolder,
        options: &SaveOptions,
    ) -> Result<(), SaveError> {
        match self {
            Self::Captioner(model) => model.write(staged, options),
            Self::Translator(model) => model.write(staged, options),
        }
    }

    pub(crate) fn write_packed(&self, staged: &StagedFolder) -> Result<(), SaveError> {
        match self {
            Self::Captioner(model) => model.write_packed(staged),
            Self::Translator(model) => model.write_packed(staged),
        }
    }
}
