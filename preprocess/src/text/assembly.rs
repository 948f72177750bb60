//! The last steps of reading, which are the same for all files: special tokens, languages, the template.

use std::collections::HashSet;

use tokenizers::{AddedToken, ModelWrapper};

use super::added::{self, Added};
use super::class::Class;
use super::languages::{LANGUAGES, Language};
use super::options::{Options, TOKENIZER_CONFIG};
use super::special::{END, SpecialToken, SpecialTokens};
use super::template::{self, Named, Processor};
use super::{Tokenizer, own_codes, tokenizer_json};
use crate::Error;

/// What the files of a vocabulary give.
pub(super) struct Parts {
    pub(super) tokenizer: tokenizers::Tokenizer,
    /// The largest id of the model plus one.
    pub(super) size: usize,
    /// The program without which texts can't be split into words.
    pub(super) word_splitter: Option<&'static str>,
}

/// Which tokens that are spelled like a language code are languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codes {
    /// Those of mBART-50, and other special tokens.
    All,
    /// Special tokens.
    Special,
    /// None: some vocabularies have codes that no text begins with.
    None,
}

impl Codes {
    /// Those of a tokenizer that is named by its class, or not at all.
    fn of(class: Option<Class>, options: &Options) -> Result<Self, Error> {
        Ok(match class {
            Some(Class::MBart50) => Self::All,
            Some(_) => Self::None,
            None if options.text("tokenizer_class")?.is_some() => Self::Special,
            None => Self::All,
        })
    }
}

impl Parts {
    pub(super) fn new(tokenizer: tokenizers::Tokenizer, size: usize) -> Self {
        Self {
            tokenizer,
            size,
            word_splitter: None,
        }
    }
}

impl Tokenizer {
    /// The tokenizer of a `tokenizer.json` with the options of the files beside it.
    pub(super) fn from_json(
        bytes: &[u8],
        class: Option<Class>,
        options: &Options,
    ) -> Result<Self, Error> {
        let (mut parts, post_processor) = tokenizer_json::read(bytes)?;
        let mut special = add_tokens(&mut parts.tokenizer, class, options, false)?;
        let codes = Codes::of(class, options)?;
        let languages = languages(&parts.tokenizer, codes);
        if !options.exist || !languages.is_empty() {
            special = usual(&parts.tokenizer, !languages.is_empty());
        }
        let processor = match post_processor.filter(|_| languages.is_empty()) {
            Some(raw) => Some(tokenizer_json::post_processor(raw, &parts.tokenizer)?),
            // These options count only without a `tokenizer.json`.
            None if class == Some(Class::Gpt2) => None,
            None => of_class(&parts, class, options, &special, &languages)?,
        };
        Self::new(parts, special, languages, processor, options)
    }

    /// The tokenizer that a class makes of a vocabulary.
    pub(super) fn from_vocabulary(
        mut parts: Parts,
        class: Class,
        options: &Options,
    ) -> Result<Self, Error> {
        let special = add_tokens(&mut parts.tokenizer, Some(class), options, true)?;
        let codes = Codes::of(Some(class), options)?;
        let languages = languages(&parts.tokenizer, codes);
        let processor = of_class(&parts, Some(class), options, &special, &languages)?;
        Self::new(parts, special, languages, processor, options)
    }

    fn new(
        parts: Parts,
        special: SpecialTokens,
        languages: Vec<(Language, u32)>,
        processor: Option<Processor>,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut inner = parts.tokenizer;
        let is_bpe = matches!(inner.get_model(), ModelWrapper::BPE(_));
        let on_bpe = "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output";
        let is_on = |key| Ok::<_, Error>(options.flag(key)? == Some(true));
        let cleans_up = is_on("clean_up_tokenization_spaces")? && (!is_bpe || is_on(on_bpe)?);
        inner.set_encode_special_tokens(is_on("split_special_tokens")?);
        let (template, processor) = processor.unzip();
        inner.with_post_processor(processor);
        Ok(Self {
            inner,
            languages,
            template: template.unwrap_or_default(),
            special,
            model_size: parts.size,
            cleans_up,
            word_splitter: parts.word_splitter,
        })
    }
}

/// Adds the tokens of the options and, if a class makes a tokenizer of a vocabulary, the special tokens of the class, in
/// the order of transformers 5. Returns the tokens that have a role.
fn add_tokens(
    tokenizer: &mut tokenizers::Tokenizer,
    class: Option<Class>,
    options: &Options,
    adds_defaults: bool,
) -> Result<SpecialTokens, Error> {
    let named = named(tokenizer, class, options, adds_defaults);
    let mut special = SpecialTokens::default();
    for (role, token) in &named {
        special.set(*role, token.content.as_str());
    }
    let mut known = added::contents(tokenizer);
    let mut tokens: Vec<Added> = Vec::new();
    let others = options.extra.iter().map(|token| token.content.as_str());
    let others: HashSet<&str> = others.collect();
    for (id, token) in &options.by_id {
        let is_named = special.iter().any(|(_, content)| content == token.content);
        let is_special = match class {
            // Written in Python, it skips the tokens that are special by their role or in the list of special ones.
            Some(Class::BertJapanese) => is_named || others.contains(token.content.as_str()),
            _ => is_named || token.special,
        };
        let token = token.clone().special(is_special);
        if known.insert(token.content.clone()) {
            tokens.push((Some(*id), token));
        }
    }
    let named = named.into_iter().map(|(_, token)| token.special(true));
    for token in named.chain(options.extra.iter().cloned()) {
        if known.insert(token.content.clone()) {
            tokens.push((None, token));
        }
    }
    added::add(tokenizer, TOKENIZER_CONFIG, tokens)?;
    Ok(special)
}

/// The special tokens of all roles: those of the options, or else those of the class. Those of a class that the
/// vocabulary lacks count only if they will be added.
fn named(
    tokenizer: &tokenizers::Tokenizer,
    class: Option<Class>,
    options: &Options,
    adds_defaults: bool,
) -> Vec<(SpecialToken, AddedToken)> {
    let of_role = |role: SpecialToken| {
        let mut own = options.named.iter();
        if let Some((_, token)) = own.find(|(known, _)| *known == role) {
            return Some((role, token.clone()));
        }
        let mut defaults = class?.special_tokens().iter();
        let (_, content) = defaults.find(|(known, _)| *known == role)?;
        let counts = adds_defaults || tokenizer.token_to_id(content).is_some();
        counts.then(|| (role, AddedToken::from(*content, true)))
    };
    SpecialToken::ALL.into_iter().filter_map(of_role).collect()
}

/// The special tokens of a tokenizer that nothing is said about. With languages, they need not be marked as special.
fn usual(tokenizer: &tokenizers::Tokenizer, has_languages: bool) -> SpecialTokens {
    let added = tokenizer.get_added_vocabulary();
    SpecialTokens::usual(|token| match has_languages {
        true => tokenizer.token_to_id(token).is_some(),
        false => added.is_special_token(token),
    })
}

/// The template of a class, which is mBART-50's if there are languages.
fn of_class(
    parts: &Parts,
    class: Option<Class>,
    options: &Options,
    special: &SpecialTokens,
    languages: &[(Language, u32)],
) -> Result<Option<Processor>, Error> {
    let tokenizer = &parts.tokenizer;
    if !languages.is_empty() {
        let end = tokenizer
            .token_to_id(END)
            .ok_or_else(|| Error::tokenizer_file(format!("the token {END}"), "none"))?;
        return template::of_languages(languages, end).map(Some);
    }
    let named = |role: SpecialToken| -> Result<Named<'_>, Error> {
        let token = special.get(role);
        let id = token.and_then(|token| tokenizer.token_to_id(token));
        token
            .zip(id)
            .ok_or_else(|| Error::tokenizer_file(format!("a {role}"), "none"))
    };
    let is_on = |key| Ok::<_, Error>(options.flag(key)? == Some(true));
    let wanted = |key, role| match is_on(key)? {
        true => named(role).map(Some),
        false => Ok(None),
    };
    Ok(Some(match class {
        None | Some(Class::MBart50) => return Ok(None),
        Some(Class::XlmRoberta) => {
            template::of_xlm_roberta(named(SpecialToken::Bos)?, named(SpecialToken::Eos)?)?
        }
        Some(Class::Gpt2) => template::of_gpt2(
            wanted("add_bos_token", SpecialToken::Bos)?,
            wanted("add_eos_token", SpecialToken::Eos)?,
        )?,
        Some(Class::Roberta) => template::of_roberta(
            named(SpecialToken::Cls)?,
            named(SpecialToken::Sep)?,
            is_on("add_prefix_space")?,
        ),
        Some(Class::Bert | Class::BertJapanese) => {
            template::of_bert(named(SpecialToken::Cls)?, named(SpecialToken::Sep)?)
        }
    }))
}

/// The languages that have tokens, which only unigram models have. Of all codes, those of mBART-50 need not be marked as
/// special, as in files of its own.
pub(super) fn languages(tokenizer: &tokenizers::Tokenizer, codes: Codes) -> Vec<(Language, u32)> {
    if codes == Codes::None || !matches!(tokenizer.get_model(), ModelWrapper::Unigram(_)) {
        return Vec::new();
    }
    let vocabulary = tokenizer.get_added_vocabulary();
    let of_mbart = LANGUAGES
        .into_iter()
        .filter(|language| codes == Codes::All || vocabulary.is_special_token(language.code))
        .filter_map(|language| Some((language, tokenizer.token_to_id(language.code)?)));
    let mut added: Vec<_> = tokenizer.get_added_tokens_decoder().into_iter().collect();
    added.sort_unstable_by_key(|(id, _)| *id);
    let others = added
        .into_iter()
        .filter(|(_, token)| token.special)
        .filter_map(|(id, token)| Some((own_codes::declare(&token.content)?, id)))
        .filter(|(language, _)| !LANGUAGES.contains(language));
    of_mbart.chain(others).collect()
}
