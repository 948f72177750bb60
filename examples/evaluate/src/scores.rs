use std::path::{Path, PathBuf};

use captioning::Language;
use metrics::{Corpus, PunktModel, Scores, WordTokenizer};
use serde::Serialize;
use serde_json::{Map, Value, json};
use whole_files::limits;

use crate::error::StartError;

/// The languages that NLTK has trained models of sentences for, by the codes of ours.
const TRAINED: [(&str, &str); 14] = [
    ("cs_CZ", "czech"),
    ("de_DE", "german"),
    ("en_XX", "english"),
    ("es_XX", "spanish"),
    ("et_EE", "estonian"),
    ("fi_FI", "finnish"),
    ("fr_XX", "french"),
    ("it_IT", "italian"),
    ("nl_XX", "dutch"),
    ("pl_PL", "polish"),
    ("pt_XX", "portuguese"),
    ("ru_RU", "russian"),
    ("sl_SI", "slovene"),
    ("tr_TR", "turkish"),
];

/// The captions of each language, in the order in which languages were met first.
#[derive(Default)]
pub(crate) struct Corpora {
    punkt: Option<PathBuf>,
    corpora: Vec<(Language, Corpus)>,
}

/// The scores of a language.
#[derive(Debug)]
pub(crate) struct LanguageScores {
    pub(crate) language: Language,
    pub(crate) scores: Scores,
}

impl Corpora {
    /// `punkt` is the folder of NLTK's trained models.
    pub(crate) fn new(punkt: Option<&Path>) -> Self {
        Self {
            punkt: punkt.map(Path::to_owned),
            corpora: Vec::new(),
        }
    }

    /// The captions of a language.
    pub(crate) fn of(&mut self, language: Language) -> Result<&mut Corpus, StartError> {
        let position = self.corpora.iter().position(|(one, _)| *one == language);
        let position = match position {
            Some(position) => position,
            None => {
                let tokenizer = self.tokenizer(language)?;
                self.corpora.push((language, Corpus::new(tokenizer)));
                self.corpora.len() - 1
            }
        };
        Ok(&mut self.corpora[position].1)
    }

    pub(crate) fn scores(&self) -> Vec<LanguageScores> {
        let scores = |(language, corpus): &(Language, Corpus)| LanguageScores {
            language: *language,
            scores: corpus.score(),
        };
        let scored = self.corpora.iter().map(scores);
        scored.filter(|one| one.scores.captions > 0).collect()
    }

    fn tokenizer(&self, language: Language) -> Result<WordTokenizer, StartError> {
        let trained = TRAINED.iter().find(|(code, _)| *code == language.code);
        let (Some(punkt), Some((_, name))) = (&self.punkt, trained) else {
            return Ok(WordTokenizer::default());
        };
        let folder = punkt.join(name);
        let read = |file: &str| whole_files::read_text(folder.join(file), limits::TEXT);
        let model = PunktModel::from_texts(
            &read("abbrev_types.txt")?,
            &read("sent_starters.txt")?,
            &read("collocations.tab")?,
            &read("ortho_context.tab")?,
        );
        let model = model.map_err(|source| StartError::Punkt { folder, source })?;
        Ok(WordTokenizer::with_model(model))
    }
}

impl Serialize for LanguageScores {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scores = &self.scores;
        let mut fields = Map::new();
        let mut add = |name: String, value: Value| drop(fields.insert(name, value));
        add("lang".into(), self.language.code.into());
        add("name".into(), self.language.name.into());
        add("captions".into(), scores.captions.into());
        for (group, values) in [
            ("BLEU-", scores.bleu),
            ("batch BLEU-", scores.batch_bleu),
            ("COCO Bleu_", scores.coco_bleu),
        ] {
            for (order, value) in values.into_iter().enumerate() {
                add(format!("{group}{}", order + 1), value.into());
            }
        }
        let [distinct_1, distinct_2] = scores.distinct;
        for (name, value) in [
            ("sacreBLEU", scores.sacre_bleu),
            ("chrF", scores.chrf),
            ("ROUGE-L", scores.rouge_l),
            ("CIDEr", scores.cider),
            ("exact", scores.exact_match),
            ("length", scores.mean_length),
            ("distinct-1", distinct_1),
            ("distinct-2", distinct_2),
        ] {
            add(name.into(), json!(value));
        }
        fields.serialize(serializer)
    }
}
