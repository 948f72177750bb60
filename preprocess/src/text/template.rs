use tokenizers::PostProcessorWrapper;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::processors::template::{TemplateProcessing, TemplateProcessingBuilder};

use super::languages::Language;
use super::special::END;
use crate::Error;

/// The code of the language that Hugging Face takes if `src_lang` is not given.
const DEFAULT_LANGUAGE: &str = "en_XX";

/// The tokens before and after every text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) before: Vec<u32>,
    pub(super) after: Vec<u32>,
}

/// A special token and its id.
pub(super) type Named<'t> = (&'t str, u32);

impl Template {
    /// The tokens of a text in their frame.
    pub(super) fn around(&self, tokens: &[u32]) -> Vec<u32> {
        [&self.before, tokens, &self.after].concat()
    }
}

/// A template as it is used here, and as it is saved for other programs.
pub(super) type Processor = (Template, PostProcessorWrapper);

/// `[language] text </s>` with the default language, which [`Tokenizer::encode`](super::Tokenizer::encode) replaces.
pub(super) fn of_languages(languages: &[(Language, u32)], end: u32) -> Result<Processor, Error> {
    let (language, id) = default_language(languages);
    let code = language.code;
    built(
        &[(code, id)],
        &[(END, end)],
        &[code, "$A", "$B", END],
        TemplateProcessing::builder(),
    )
}

/// `<s> text </s>` of XLM-R.
pub(super) fn of_xlm_roberta(begin: Named<'_>, end: Named<'_>) -> Result<Processor, Error> {
    let pair = [begin.0, "$A", end.0, end.0, "$B", end.0];
    built(&[begin], &[end], &pair, TemplateProcessing::builder())
}

/// `<s> text </s>` of RoBERTa.
pub(super) fn of_roberta(class: Named<'_>, separator: Named<'_>, prefix: bool) -> Processor {
    let named = |(token, id): Named<'_>| (token.to_owned(), id);
    let processor = RobertaProcessing::new(named(separator), named(class))
        .trim_offsets(true)
        .add_prefix_space(prefix);
    let template = Template {
        before: vec![class.1],
        after: vec![separator.1],
    };
    (template, PostProcessorWrapper::Roberta(processor))
}

/// `[CLS] text [SEP]` of BERT.
pub(super) fn of_bert(class: Named<'_>, separator: Named<'_>) -> Processor {
    let named = |(token, id): Named<'_>| (token.to_owned(), id);
    let processor = BertProcessing::new(named(separator), named(class));
    let template = Template {
        before: vec![class.1],
        after: vec![separator.1],
    };
    (template, PostProcessorWrapper::Bert(processor))
}

/// Nothing, or the token that begins a text, the one that ends it, or both (`add_bos_token`, `add_eos_token`).
pub(super) fn of_gpt2(
    begin: Option<Named<'_>>,
    end: Option<Named<'_>>,
) -> Result<Processor, Error> {
    let begin: Vec<Named<'_>> = begin.into_iter().collect();
    let end: Vec<Named<'_>> = end.into_iter().collect();
    let [before, after] = [texts(&begin), texts(&end)];
    let pair = [&before[..], &["$A"], &after, &before, &["$B"], &after].concat();
    built(&begin, &end, &pair, TemplateProcessing::builder())
}

fn built(
    before: &[Named<'_>],
    after: &[Named<'_>],
    pair: &[&str],
    mut builder: TemplateProcessingBuilder,
) -> Result<Processor, Error> {
    let refuse = |error: String| Error::Tokenize(error.into());
    let single = [&texts(before)[..], &["$A"], &texts(after)].concat();
    let mut special: Vec<Named<'_>> = [before, after].concat();
    special.dedup();
    let processor = builder
        .try_single(single)
        .map_err(refuse)?
        .try_pair(pair.to_vec())
        .map_err(refuse)?
        .special_tokens(special)
        .build()
        .map_err(|error| Error::Tokenize(error.into()))?;
    let ids = |tokens: &[Named<'_>]| tokens.iter().map(|token| token.1).collect();
    let template = Template {
        before: ids(before),
        after: ids(after),
    };
    Ok((template, PostProcessorWrapper::Template(processor)))
}

fn texts<'t>(tokens: &[Named<'t>]) -> Vec<&'t str> {
    tokens.iter().map(|token| token.0).collect()
}

/// English, or the first language of a tokenizer without English.
pub(super) fn default_language(languages: &[(Language, u32)]) -> (Language, u32) {
    let english = languages
        .iter()
        .find(|(language, _)| language.code == DEFAULT_LANGUAGE);
    *english.unwrap_or(&languages[0])
}
