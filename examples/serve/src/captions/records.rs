//! What an answer says.

use captioning::{Caption, Captioner};
use serde::Serialize;
use serving::WrittenCaption;

use crate::failure::{ErrorRecord, Failure};
use crate::view::View;
use crate::work::Event;

/// The answer to a request for captions.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct CaptionsResponse {
    /// The model's name.
    pub(crate) model: String,
    /// An entry for each picture, in the order of the request.
    pub(crate) images: Vec<ImageRecord>,
}

/// What there is to say about a picture.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub(crate) struct ImageRecord {
    /// Its index within the request.
    image: usize,
    /// The name of its file, if the client gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    view: Option<View>,
    /// Captions, an entry for each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    languages: Option<Vec<LanguageRecord>>,
    /// Scores of the given texts, in each language.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scores: Vec<ScoreRecord>,
    /// Why nothing more is known about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorRecord>,
}

/// The captions in a language, or why there is none.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct LanguageRecord {
    /// The language's code.
    pub(super) language: &'static str,
    /// The captions, best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) captions: Option<Vec<CaptionRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<ErrorRecord>,
}

/// A caption.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct CaptionRecord {
    text: String,
    /// The sum of the log-probabilities of its tokens, divided by their number to the power of `length_penalty`.
    score: f32,
    /// The tokens that were generated.
    tokens: Vec<TokenRecord>,
    /// Where the decoder looked, word by word.
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<WordRecord>>,
}

/// A token.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct TokenRecord {
    pub(crate) id: u32,
    /// The text that it adds; for a special token, its name.
    pub(crate) text: String,
    pub(crate) log_prob: f32,
    /// The most likely tokens in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub(crate) alternatives: Option<Vec<TokenRecord>>,
}

/// A word, and where the decoder looked when it wrote it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct WordRecord {
    word: String,
    /// Its first token, as an index of `tokens`.
    start: usize,
    /// The token after its last.
    end: usize,
    /// The sum of its tokens' log-probabilities. Null for a word of the prefix, which was not chosen.
    log_prob: Option<f32>,
    rows: usize,
    columns: usize,
    /// The weight of each patch, row after row from the top left.
    patches: Vec<f32>,
    /// The weight of the class token, which has no place in the picture.
    class_token: f32,
}

/// The score of a text, or why it has none.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ScoreRecord {
    /// The language's code.
    language: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// As a caption's.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorRecord>,
}

/// The order of an answer's entries, which do not come in order.
pub(super) struct Order {
    /// The number of pictures.
    pub(super) total: usize,
    pub(super) languages: Vec<&'static str>,
    /// Whether captions were asked for.
    pub(super) with_captions: bool,
}

impl Order {
    pub(super) fn empty(&self) -> Vec<ImageRecord> {
        let record = |image| ImageRecord {
            image,
            languages: self.with_captions.then(Vec::new),
            ..ImageRecord::default()
        };
        (0..self.total).map(record).collect()
    }

    pub(super) fn sort(&self, images: &mut [ImageRecord]) {
        let place = |code: &str| self.languages.iter().position(|one| *one == code);
        for image in images {
            match &mut image.languages {
                Some(languages) if image.error.is_none() || !languages.is_empty() => {
                    languages.sort_by_key(|one| place(one.language));
                }
                languages => *languages = None,
            }
            image.scores.sort_by_key(|one| place(one.language));
        }
    }
}

/// Adds what has happened to a picture.
pub(super) fn add(captioner: &Captioner, images: &mut [ImageRecord], event: Event) {
    match event {
        Event::Accepted { image, name, view } => {
            let record = &mut images[image];
            (record.name, record.view) = (name, Some(view));
        }
        Event::Draft { .. } => {}
        Event::Captions {
            image,
            language,
            captions,
        } => {
            let record = language_record(captioner, language.code, captions);
            images[image].languages.get_or_insert_default().push(record);
        }
        Event::Scores {
            image,
            language,
            scores,
        } => images[image]
            .scores
            .extend(score_records(language.code, scores)),
        Event::Failed {
            image,
            name,
            failure,
        } => {
            images[image].name = name;
            images[image].error = Some(failure.record());
        }
    }
}

pub(super) fn language_record(
    captioner: &Captioner,
    language: &'static str,
    captions: Result<Vec<WrittenCaption>, Failure>,
) -> LanguageRecord {
    match captions {
        Ok(captions) => LanguageRecord {
            language,
            captions: Some(
                captions
                    .into_iter()
                    .map(|one| caption_record(captioner, one))
                    .collect(),
            ),
            error: None,
        },
        Err(failure) => LanguageRecord {
            language,
            captions: None,
            error: Some(failure.record()),
        },
    }
}

fn caption_record(captioner: &Captioner, written: WrittenCaption) -> CaptionRecord {
    let WrittenCaption { caption, attention } = written;
    let first = caption.ids.len() - caption.token_log_probs.len();
    let word = |map: captioning::AttentionMap| {
        let start = map.tokens.start.checked_sub(first);
        let end = map.tokens.end.saturating_sub(first);
        let log_probs = start.and_then(|start| caption.token_log_probs.get(start..end));
        WordRecord {
            word: map.word,
            start: start.unwrap_or_default(),
            end,
            log_prob: log_probs.map(|log_probs| log_probs.iter().sum()),
            rows: map.rows,
            columns: map.columns,
            patches: map.patches,
            class_token: map.class_token,
        }
    };
    let words: Vec<WordRecord> = attention.into_iter().map(word).collect();
    CaptionRecord {
        tokens: token_records(captioner, &caption),
        score: caption.score,
        text: caption.text,
        words: (!words.is_empty()).then_some(words),
    }
}

/// The tokens of a caption that were generated.
pub(crate) fn token_records(captioner: &Captioner, caption: &Caption) -> Vec<TokenRecord> {
    let first = caption.ids.len() - caption.token_log_probs.len();
    let generated = caption.ids[first..].iter().zip(&caption.token_log_probs);
    let record = |(position, (id, log_prob)): (usize, (&u32, &f32))| {
        let alternatives = caption.alternatives.get(position).map(|tokens| {
            let records = tokens.iter().map(|token| TokenRecord {
                id: token.id,
                text: token.text.clone(),
                log_prob: token.log_prob,
                alternatives: None,
            });
            records.collect()
        });
        TokenRecord {
            id: *id,
            text: token_text(captioner, *id),
            log_prob: *log_prob,
            alternatives,
        }
    };
    generated.enumerate().map(record).collect()
}

fn token_text(captioner: &Captioner, id: u32) -> String {
    match captioner.vocabulary().text(id) {
        Some(text) => text.to_owned(),
        None => captioner.tokenizer().id_to_token(id).unwrap_or_default(),
    }
}

pub(super) fn score_records(
    language: &'static str,
    scores: Result<Vec<Result<Caption, Failure>>, Failure>,
) -> Vec<ScoreRecord> {
    let failed = |failure: Failure| ScoreRecord {
        language,
        text: None,
        score: None,
        error: Some(failure.record()),
    };
    match scores {
        Err(failure) => vec![failed(failure)],
        Ok(scores) => {
            let records = scores.into_iter().map(|score| match score {
                Ok(caption) => ScoreRecord {
                    language,
                    text: Some(caption.text),
                    score: Some(caption.score),
                    error: None,
                },
                Err(failure) => failed(failure),
            });
            records.collect()
        }
    }
}
