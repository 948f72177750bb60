//! A chat completion as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use captioning::Caption;
use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver};

use super::answer::{Head, LogProbs, Usage, captions, finish_reason, log_probs};
use super::parameters::Parameters;
use crate::app::App;
use crate::failure::ErrorBody;
use crate::growth::Growth;
use crate::sse::receiver_stream;
use crate::work::Event;

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice {
    index: usize,
    delta: Delta,
    logprobs: Option<LogProbs>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// Sends what is settled of the caption as it grows. Of several captions, each is sent as a whole.
pub(super) fn answer(
    app: Arc<App>,
    head: Head,
    parameters: Parameters,
    mut events: Receiver<Event>,
) -> Response {
    let (messages, receiver) = mpsc::unbounded_channel();
    let work = async move {
        let send = |message: Message| drop(messages.send(Ok::<_, Infallible>(message)));
        let mut growth = Growth::default();
        let mut begun = false;
        let written = captions(&mut events, |settled| {
            if !std::mem::replace(&mut begun, true) {
                send(chunk(&head, vec![role(0)]));
            }
            if let Some(new) = growth.add(settled) {
                send(chunk(&head, vec![content(0, new, None)]));
            }
        });
        match written.await {
            Ok(captions) => {
                for (index, caption) in captions.iter().enumerate() {
                    if index > 0 || !begun {
                        send(chunk(&head, vec![role(index)]));
                    }
                    let sent = std::mem::take(&mut growth);
                    for message in ending(&app, &head, &parameters, index, caption, sent) {
                        send(message);
                    }
                }
                if parameters.include_usage {
                    let usage = Some(Usage::of(&captions));
                    send(data(&Chunk {
                        usage,
                        ..head.chunk(Vec::new())
                    }));
                }
                send(Message::default().data("[DONE]"));
            }
            Err(failure) => {
                let error = failure.record();
                send(data(&ErrorBody { error }));
            }
        }
    };
    Sse::new(receiver_stream(receiver, work))
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// The rest of a caption, and why it ends.
fn ending(
    app: &App,
    head: &Head,
    parameters: &Parameters,
    index: usize,
    caption: &Caption,
    mut sent: Growth,
) -> [Message; 2] {
    let logprobs = parameters.logprobs.then(|| log_probs(app, caption));
    let rest = sent.add(&caption.text).unwrap_or_default();
    let end = Choice {
        index,
        delta: Delta::default(),
        logprobs: None,
        finish_reason: Some(finish_reason(&head.options, caption)),
    };
    [
        chunk(head, vec![content(index, rest, logprobs)]),
        chunk(head, vec![end]),
    ]
}

fn role(index: usize) -> Choice {
    Choice {
        index,
        delta: Delta {
            role: Some("assistant"),
            content: Some(String::new()),
        },
        logprobs: None,
        finish_reason: None,
    }
}

fn content(index: usize, text: String, logprobs: Option<LogProbs>) -> Choice {
    Choice {
        index,
        delta: Delta {
            role: None,
            content: Some(text),
        },
        logprobs,
        finish_reason: None,
    }
}

impl Head {
    fn chunk(&self, choices: Vec<Choice>) -> Chunk<'_> {
        Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices,
            usage: None,
        }
    }
}

fn chunk(head: &Head, choices: Vec<Choice>) -> Message {
    data(&head.chunk(choices))
}

fn data(value: &impl Serialize) -> Message {
    // Plain structures always become JSON.
    Message::default().json_data(value).unwrap_or_default()
}
