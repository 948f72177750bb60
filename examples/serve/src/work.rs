//! The way of a request's pictures through the server, as a stream of events.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use captioning::{Caption, Language};
use futures_util::{StreamExt, stream};
use serving::{Answer, Refused, Request, Update, WrittenCaption};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::app::App;
use crate::ask::Ask;
use crate::body::Hold;
use crate::failure::Failure;
use crate::pictures::{Decoded, Picture};
use crate::view::View;

/// Events that wait for a client. Drafts beyond them are left out.
const EVENTS: usize = 16;

/// How long a picture of a request that was accepted waits before it asks for a place in the queue again.
const PAUSE: Duration = Duration::from_millis(100);

/// What happens to a picture. `image` is its index within the request.
#[derive(Debug)]
pub(crate) enum Event {
    /// It is decoded and accepted.
    Accepted {
        image: usize,
        name: Option<String>,
        view: View,
    },
    Draft {
        image: usize,
        language: Language,
        sequence: usize,
        settled: String,
        draft: String,
    },
    Captions {
        image: usize,
        language: Language,
        captions: Result<Vec<WrittenCaption>, Failure>,
    },
    Scores {
        image: usize,
        language: Language,
        scores: Result<Vec<Result<Caption, Failure>>, Failure>,
    },
    /// Nothing more comes of it.
    Failed {
        image: usize,
        name: Option<String>,
        failure: Failure,
    },
}

/// A picture that has a place in the queue.
struct Accepted {
    image: usize,
    name: Option<String>,
    view: View,
    answer: Answer,
}

/// Decodes pictures and hands them to the server, until the receiver is dropped. `hold` are the permits of
/// their request.
///
/// # Errors
/// The failure of the first picture if none can be decoded; that the queue is full, if there is no place for the first
/// one that can. Once that has a place, the others of the request wait for theirs.
pub(crate) async fn start(
    app: &Arc<App>,
    ask: Ask,
    pictures: Vec<Picture>,
    Hold { memory, coming }: Hold,
) -> Result<Receiver<Event>, Failure> {
    // Before a picture is decoded, which takes longer than to say no.
    app.server.check_room()?;
    let mut waiting: VecDeque<(usize, Picture)> = pictures.into_iter().enumerate().collect();
    let mut failed = Vec::new();
    let first = loop {
        let Some((image, picture)) = waiting.pop_front() else {
            let first = failed.into_iter().next().map(|(_, _, failure)| failure);
            return Err(first.unwrap_or_else(|| Failure::field("images", "there is no picture")));
        };
        let name = picture.name.clone();
        match app.decoder.decode(picture.data).await {
            Err(failure) => failed.push((image, name, failure)),
            Ok(decoded) => {
                let view = View::new(app.captioner(), &decoded.image);
                let answer = app.server.submit(request(decoded, &ask))?;
                break Accepted {
                    image,
                    name,
                    view,
                    answer,
                };
            }
        }
    };

    drop(coming);
    let (events, receiver) = mpsc::channel(EVENTS);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let closed = events.clone();
        let work = async {
            for (image, name, failure) in failed {
                send(
                    &events,
                    Event::Failed {
                        image,
                        name,
                        failure,
                    },
                )
                .await;
            }
            let rest = stream::iter(waiting).map(|(image, picture)| {
                let (app, ask, events) = (&app, &ask, &events);
                async move { run(app, ask, image, picture, events).await }
            });
            let rest = rest.buffer_unordered(crate::limits::PICTURES_AT_A_TIME);
            let decoded = async {
                rest.collect::<()>().await;
                drop(memory);
            };
            tokio::join!(report(&app, first, &events), decoded);
        };
        // Whoever drops the receiver cancels everything.
        tokio::select! {
            () = work => {}
            () = closed.closed() => {}
        }
    });
    Ok(receiver)
}

fn request(decoded: Decoded, ask: &Ask) -> Request {
    Request {
        hold: Some(Box::new(decoded.hold)),
        captions: ask.captions,
        texts: ask.texts.clone(),
        attention: ask.attention,
        drafts: ask.drafts,
        ..Request::new(decoded.image, ask.languages.clone(), ask.options.clone())
    }
}

/// Decodes a picture of a request that was accepted, waits for its place, and reports what happens to it.
async fn run(app: &App, ask: &Ask, image: usize, picture: Picture, events: &Sender<Event>) {
    let name = picture.name;
    let accepted = async {
        let decoded = app.decoder.decode(picture.data).await?;
        let view = View::new(app.captioner(), &decoded.image);
        let mut asked = request(decoded, ask);
        let latest = Instant::now() + app.limits.timeout();
        loop {
            // The picture is given away only if there is a place for it.
            match app.server.offer(asked) {
                Ok(answer) => return Ok((view, answer)),
                Err((Refused::QueueFull { .. }, again)) if Instant::now() < latest => {
                    asked = *again;
                    tokio::time::sleep(PAUSE).await;
                }
                Err((refused, _)) => return Err(refused.into()),
            }
        }
    };
    match accepted.await {
        Ok((view, answer)) => {
            let accepted = Accepted {
                image,
                name,
                view,
                answer,
            };
            report(app, accepted, events).await;
        }
        Err(failure) => {
            send(
                events,
                Event::Failed {
                    image,
                    name,
                    failure,
                },
            )
            .await
        }
    }
}

/// Reports what happens to a picture that has a place in the queue.
async fn report(app: &App, accepted: Accepted, events: &Sender<Event>) {
    let Accepted {
        image,
        name,
        view,
        mut answer,
    } = accepted;
    let of_failure = name.clone();
    send(events, Event::Accepted { image, name, view }).await;
    // The server ends a request at its deadline when its turn comes; nobody has to wait for that.
    let latest = tokio::time::Instant::now() + app.limits.timeout() + Duration::from_secs(1);
    loop {
        let next = poll_fn(|context| answer.poll_next(context));
        let failure = match tokio::time::timeout_at(latest, next).await {
            Ok(Some(Update::Done)) => return,
            Ok(Some(Update::Failed(error))) => Failure::from(&error),
            Ok(None) => Failure::fault("the answer ended before its last part"),
            Err(_) => Failure::timed_out(),
            Ok(Some(update)) => {
                if let Some(event) = of_update(image, update) {
                    send(events, event).await;
                }
                continue;
            }
        };
        let name = of_failure;
        return send(
            events,
            Event::Failed {
                image,
                name,
                failure,
            },
        )
        .await;
    }
}

fn of_update(image: usize, update: Update) -> Option<Event> {
    let failure = |error: captioning::Error| Failure::from(&error);
    match update {
        Update::Draft {
            language,
            sequence,
            settled,
            draft,
        } => Some(Event::Draft {
            image,
            language,
            sequence,
            settled,
            draft,
        }),
        Update::Captions { language, captions } => Some(Event::Captions {
            image,
            language,
            captions: captions.map_err(failure),
        }),
        Update::Scores { language, scores } => Some(Event::Scores {
            image,
            language,
            scores: scores
                .map(|all| all.into_iter().map(|one| one.map_err(failure)).collect())
                .map_err(failure),
        }),
        _ => None,
    }
}

/// Sends an event. If nobody receives it, the work ends anyway.
async fn send(events: &Sender<Event>, event: Event) {
    let _ = events.send(event).await;
}
