//! A chat completion.

use axum::Json;
use axum::response::{IntoResponse, Response};
use captioning::{Caption, GenerationConfig};
use serde::Serialize;
use serving::WrittenCaption;
use tokio::sync::mpsc::Receiver;

use super::parameters::Parameters;
use crate::app::App;
use crate::captions::token_records;
use crate::failure::Failure;
use crate::work::Event;

/// What every part of an answer begins with.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) model: String,
    /// The options that captions are written with.
    pub(super) options: GenerationConfig,
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice>,
    usage: Usage,
}

#[derive(Serialize)]
struct Choice {
    index: usize,
    message: Message,
    logprobs: Option<LogProbs>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
    refusal: Option<String>,
}

#[derive(Serialize)]
pub(super) struct LogProbs {
    content: Vec<TokenLogProb>,
    refusal: Option<String>,
}

#[derive(Serialize)]
struct TokenLogProb {
    token: String,
    logprob: f32,
    bytes: Vec<u8>,
    top_logprobs: Vec<TopLogProb>,
}

#[derive(Serialize)]
struct TopLogProb {
    token: String,
    logprob: f32,
    bytes: Vec<u8>,
}

/// The tokens that were used. Pictures have none.
#[derive(Serialize)]
pub(super) struct Usage {
    prompt_tokens: usize,
    completion_tokens: usize,
    total_tokens: usize,
}

impl Usage {
    pub(super) fn of(captions: &[Caption]) -> Self {
        let tokens = captions.iter().map(|one| one.token_log_probs.len()).sum();
        Self {
            prompt_tokens: 0,
            completion_tokens: tokens,
            total_tokens: tokens,
        }
    }
}

/// Waits for the captions.
pub(super) async fn whole(
    app: &App,
    head: Head,
    parameters: &Parameters,
    mut events: Receiver<Event>,
) -> Result<Response, Failure> {
    let captions = captions(&mut events, |_| ()).await?;
    let usage = Usage::of(&captions);
    let choices = captions
        .into_iter()
        .enumerate()
        .map(|(index, caption)| Choice {
            index,
            logprobs: parameters.logprobs.then(|| log_probs(app, &caption)),
            finish_reason: finish_reason(&head.options, &caption),
            message: Message {
                role: "assistant",
                content: caption.text,
                refusal: None,
            },
        });
    let completion = Completion {
        id: &head.id,
        object: "chat.completion",
        created: head.created,
        model: &head.model,
        choices: choices.collect(),
        usage,
    };
    Ok(Json(completion).into_response())
}

/// The captions of the only picture in the only language. `draft` sees what is settled of them before.
pub(crate) async fn captions(
    events: &mut Receiver<Event>,
    mut draft: impl FnMut(&str),
) -> Result<Vec<Caption>, Failure> {
    while let Some(event) = events.recv().await {
        match event {
            Event::Draft { settled, .. } => draft(&settled),
            Event::Captions { captions, .. } => {
                let captions = captions?
                    .into_iter()
                    .map(|WrittenCaption { caption, .. }| caption);
                return Ok(captions.collect());
            }
            Event::Failed { failure, .. } => return Err(failure),
            _ => {}
        }
    }
    Err(Failure::fault("the answer ended before its last part"))
}

/// Whether a caption came to its end, or was cut at the length that `options` allow.
pub(crate) fn finish_reason(options: &GenerationConfig, caption: &Caption) -> &'static str {
    let prompt = caption.ids.len() - caption.token_log_probs.len();
    let last = caption.ids.last();
    let has_end = last.is_some_and(|last| options.eos_token_id.contains(last));
    match !has_end && caption.ids.len() >= options.longest(prompt) {
        true => "length",
        false => "stop",
    }
}

/// The tokens of a caption that have text.
pub(super) fn log_probs(app: &App, caption: &Caption) -> LogProbs {
    let vocabulary = app.captioner().vocabulary();
    let with_text = token_records(app.captioner(), caption)
        .into_iter()
        .filter(|token| vocabulary.text(token.id).is_some());
    let content = with_text.map(|token| {
        let top = token.alternatives.unwrap_or_default().into_iter();
        TokenLogProb {
            bytes: token.text.as_bytes().to_vec(),
            token: token.text,
            logprob: token.log_prob,
            top_logprobs: top
                .map(|one| TopLogProb {
                    bytes: one.text.as_bytes().to_vec(),
                    token: one.text,
                    logprob: one.log_prob,
                })
                .collect(),
        }
    });
    LogProbs {
        content: content.collect(),
        refusal: None,
    }
}
