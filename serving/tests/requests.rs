//! Requests to a server with the embedded model.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use captioning::{CaptionOptions, Captioner, GenerationConfig, RgbImage, open_image};
use serving::{Error, Limits, Refused, Request, Schedule, Server, Update};

static CAPTIONER: LazyLock<Arc<Captioner>> =
    LazyLock::new(|| Arc::new(Captioner::embedded(&Device::flex()).unwrap()));

const HORSE: &str = "02-fluent-emoji-1f40e.png";
const SCHEDULES: [Schedule; 2] = [Schedule::Batched, Schedule::OneAtATime];

/// Makes a test of a function for each schedule.
macro_rules! for_each_schedule {
    ($($name:ident)*) => {
        mod batched {
            $(#[test] fn $name() { super::$name(super::Schedule::Batched); })*
        }
        mod one_at_a_time {
            $(#[test] fn $name() { super::$name(super::Schedule::OneAtATime); })*
        }
    };
}

for_each_schedule! {
    an_answer_has_drafts_then_captions_with_maps_then_scores_then_its_end
    a_request_for_more_rows_than_a_batch_has_is_answered_in_several
    a_full_queue_refuses_and_those_who_left_make_room
    a_request_whose_answer_is_dropped_while_it_runs_is_not_finished
    a_request_fails_at_its_deadline
    what_fails_or_panics_fails_alone
    a_language_without_a_caption_fails_alone
    requests_with_other_shortlists_are_all_answered
    a_server_that_stops_answers_what_it_accepted_and_accepts_nothing_more
    a_server_whose_handles_are_gone_finishes_what_it_accepted
}

fn server(schedule: Schedule, limits: Limits) -> Server {
    Server::new(Arc::clone(&CAPTIONER), limits, schedule).unwrap()
}

fn picture(name: &str) -> RgbImage {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../captioning/tests/samples");
    open_image(format!("{folder}/{name}")).unwrap()
}

fn options(num_beams: usize) -> CaptionOptions {
    CaptionOptions::new(GenerationConfig {
        num_beams,
        ..CAPTIONER.generation_config().clone()
    })
}

/// A request in English.
fn request() -> Request {
    let english = CAPTIONER.language("en").unwrap();
    Request::new(picture(HORSE), vec![english], options(2))
}

/// The texts of an answer's captions, and its last part.
fn texts(answer: impl Iterator<Item = Update>) -> (Vec<String>, Update) {
    let mut texts = Vec::new();
    for update in answer {
        match update {
            Update::Captions { captions, .. } => {
                texts.extend(captions.unwrap().into_iter().map(|one| one.caption.text));
            }
            Update::Done | Update::Failed(_) => return (texts, update),
            _ => {}
        }
    }
    panic!("an answer ended without a last part");
}

/// Keeps the server at work on a request until it is let go: the picture can't be given back before.
struct Gate {
    reached: Sender<()>,
    released: Mutex<Receiver<()>>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.reached.send(());
        let _ = self.released.lock().unwrap().recv();
    }
}

/// A request that the server works on until the sender is dropped, once the receiver has got something.
fn gated() -> (Request, Receiver<()>, Sender<()>) {
    let (reached, is_reached) = channel();
    let (release, released) = channel();
    let released = Mutex::new(released);
    let mut request = request();
    request.hold = Some(Box::new(Gate { reached, released }));
    (request, is_reached, release)
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("the picture can't be given back");
    }
}

fn an_answer_has_drafts_then_captions_with_maps_then_scores_then_its_end(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let mut request = request();
    request.languages.push(CAPTIONER.language("de").unwrap());
    request.languages.push(CAPTIONER.language("en").unwrap());
    request.drafts = true;
    request.attention = true;
    request.texts = vec!["horse on a white background".into(), "a bee".into()];
    let (mut captions_of, mut scores_of, mut drafts) = (Vec::new(), Vec::new(), 0);
    let mut last = None;
    for update in server.submit(request).unwrap() {
        match update {
            Update::Draft {
                ref settled,
                ref draft,
                ..
            } => {
                assert!(draft.starts_with(settled.as_str()));
                drafts += 1;
            }
            Update::Captions {
                language,
                ref captions,
            } => {
                let captions = captions.as_ref().unwrap();
                assert!(!captions[0].attention.is_empty());
                captions_of.push(language.code);
            }
            Update::Scores {
                language,
                ref scores,
            } => {
                let scores = scores.as_ref().unwrap();
                let of = |index: usize| scores[index].as_ref().unwrap().score;
                assert!(language.code != "en_XX" || of(0) > of(1));
                scores_of.push(language.code);
            }
            _ => {}
        }
        last = Some(update);
    }
    captions_of.sort_unstable();
    assert_eq!(
        captions_of,
        ["de_DE", "en_XX"],
        "a language that is named twice counts once"
    );
    assert_eq!(scores_of, ["en_XX", "de_DE"]);
    assert!(drafts > 0);
    assert!(matches!(last, Some(Update::Done)));
    let metrics = server.metrics();
    assert!(metrics.steps > 1 && metrics.tokens > metrics.steps);
    assert_eq!((metrics.accepted, metrics.finished), (1, 1));
    assert_eq!(metrics.step_rows.count(), metrics.steps);
}

#[test]
fn answers_in_a_crowd_are_those_of_the_captioner_alone() {
    let names = [
        HORSE,
        "00-fluent-emoji-flat-1f587.png",
        "01-fluent-emoji-1f333.png",
    ];
    let languages = CAPTIONER.languages().to_vec();
    for schedule in SCHEDULES {
        let server = Server::new(Arc::clone(&CAPTIONER), Limits::default(), schedule).unwrap();
        thread::scope(|scope| {
            for (client, name) in names.iter().cycle().take(9).enumerate() {
                let (server, languages) = (server.clone(), languages.clone());
                scope.spawn(move || {
                    let options = options(1 + client % 4);
                    let memory = CAPTIONER.encode(&[picture(name)]).unwrap();
                    let alone = CAPTIONER
                        .caption_with(memory, &languages, &options)
                        .unwrap();
                    let request = Request::new(picture(name), languages, options);
                    let mut crowd = Vec::new();
                    for update in server.submit(request).unwrap() {
                        if let Update::Captions { captions, .. } = update {
                            crowd.extend(captions.unwrap().into_iter().map(|one| one.caption));
                        }
                    }
                    let mut alone: Vec<_> = alone
                        .into_iter()
                        .flatten()
                        .flat_map(|one| one.captions.unwrap())
                        .collect();
                    // Languages are answered as soon as they are finished.
                    alone.sort_by_key(|caption| caption.language.code);
                    crowd.sort_by_key(|caption| caption.language.code);
                    assert_eq!(alone, crowd, "to the last bit");
                });
            }
        });
    }
}

fn a_request_for_more_rows_than_a_batch_has_is_answered_in_several(schedule: Schedule) {
    let server = server(
        schedule,
        Limits {
            rows: 4,
            ..Limits::default()
        },
    );
    let mut request = request();
    request.languages = CAPTIONER.languages().to_vec();
    let (texts, last) = texts(server.submit(request).unwrap());
    assert_eq!(texts.len(), 4);
    assert!(matches!(last, Update::Done));
    let rows = server.metrics().step_rows;
    let up_to_four = rows.bounds.iter().position(|bound| *bound == 4.0).unwrap();
    assert!(rows.counts[up_to_four] > 0);
    assert_eq!(rows.counts[up_to_four + 1..].iter().sum::<u64>(), 0);
}

fn a_full_queue_refuses_and_those_who_left_make_room(schedule: Schedule) {
    let server = server(
        schedule,
        Limits {
            queue: 2,
            ..Limits::default()
        },
    );
    let (first, is_reached, release) = gated();
    let first = server.submit(first).unwrap();
    is_reached.recv().unwrap();
    let second = server.submit(request()).unwrap();
    let third = server.submit(request()).unwrap();
    let refused = server.submit(request()).unwrap_err();
    assert!(matches!(refused, Refused::QueueFull { retry_after } if retry_after.as_secs() >= 1));
    assert!(server.check_room().is_err());
    assert_eq!(server.metrics().queued, 2);
    drop(second);
    assert!(server.check_room().is_ok());
    let fourth = server.submit(request()).unwrap();
    drop(release);
    for answer in [first, third, fourth] {
        assert!(matches!(texts(answer).1, Update::Done));
    }
    let metrics = server.metrics();
    assert_eq!((metrics.accepted, metrics.refused), (4, 2));
    assert_eq!((metrics.finished, metrics.cancelled), (3, 1));
}

fn a_request_whose_answer_is_dropped_while_it_runs_is_not_finished(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let (first, is_reached, release) = gated();
    let answer = server.submit(first).unwrap();
    is_reached.recv().unwrap();
    drop(answer);
    drop(release);
    server.stop();
    server.wait();
    let metrics = server.metrics();
    assert_eq!((metrics.cancelled, metrics.finished), (1, 0));
    assert_eq!(metrics.steps, 0, "it ended before the first step");
    assert_eq!((metrics.running, metrics.rows), (0, 0));
}

fn a_request_fails_at_its_deadline(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let mut late = request();
    late.deadline = Some(Instant::now());
    let (_, last) = texts(server.submit(late).unwrap());
    assert!(matches!(last, Update::Failed(Error::Deadline)));

    let (mut late, is_reached, release) = gated();
    let deadline = Instant::now() + Duration::from_secs(2);
    late.deadline = Some(deadline);
    let answer = server.submit(late).unwrap();
    is_reached.recv().unwrap();
    thread::sleep(deadline.saturating_duration_since(Instant::now()));
    drop(release);
    let (texts, last) = texts(answer);
    assert!(texts.is_empty() && matches!(last, Update::Failed(Error::Deadline)));
    assert_eq!(server.metrics().late, 2);
}

fn what_fails_or_panics_fails_alone(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let mut panics = request();
    panics.hold = Some(Box::new(PanicsWhenDropped));
    let mut invalid = request();
    invalid.options = options(0);
    let answers = [panics, invalid, request()].map(|request| server.submit(request).unwrap());
    let [panicked, failed, good] = answers.map(|answer| texts(answer).1);
    let Update::Failed(Error::Panicked { message }) = panicked else {
        panic!("{panicked:?}");
    };
    assert_eq!(message, "the picture can't be given back");
    assert!(
        matches!(failed, Update::Failed(Error::Captioning(_))),
        "{failed:?}"
    );
    assert!(matches!(good, Update::Done), "{good:?}");
    let metrics = server.metrics();
    assert_eq!(
        (metrics.failed, metrics.panicked, metrics.finished),
        (2, 1, 1)
    );
}

fn a_language_without_a_caption_fails_alone(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let mut request = request();
    request.languages.push(CAPTIONER.language("de").unwrap());
    // Four tokens are the start, the language and two more: not enough for this word.
    request.options.generation.max_length = Some(4);
    request.options.generation.max_new_tokens = None;
    request.options.required = vec!["Schmetterling".parse().unwrap()];
    let (mut good, mut bad) = (0, 0);
    let mut last = None;
    for update in server.submit(request).unwrap() {
        if let Update::Captions { captions, .. } = &update {
            match captions {
                Ok(_) => good += 1,
                Err(captioning::Error::WordsMissing { .. }) => bad += 1,
                Err(error) => panic!("{error}"),
            }
        }
        last = Some(update);
    }
    assert_eq!(good + bad, 2, "every language has an answer");
    assert!(bad > 0);
    assert!(matches!(last, Some(Update::Done)), "{last:?}");
}

fn a_server_that_stops_answers_what_it_accepted_and_accepts_nothing_more(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let (first, is_reached, release) = gated();
    let first = server.submit(first).unwrap();
    is_reached.recv().unwrap();
    let second = server.submit(request()).unwrap();
    assert!(server.is_accepting());
    server.stop();
    assert!(!server.is_accepting());
    assert_eq!(server.submit(request()).unwrap_err(), Refused::Stopping);
    drop(release);
    server.wait();
    for answer in [first, second] {
        assert!(matches!(texts(answer).1, Update::Done));
    }
}

fn a_server_whose_handles_are_gone_finishes_what_it_accepted(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let answer = server.submit(request()).unwrap();
    drop(server);
    assert!(matches!(texts(answer).1, Update::Done));
}

#[test]
fn a_server_whose_work_is_not_done_accepts_nothing() {
    let captioner = Arc::clone(&CAPTIONER);
    let (limits, schedule) = (Limits::default(), Schedule::OneAtATime);
    let server = Server::new_within(captioner, limits, schedule, drop).unwrap();
    server.wait();
    assert_eq!(server.submit(request()).unwrap_err(), Refused::Stopping);
}

#[test]
fn servers_and_answers_can_be_shared_and_sent() {
    fn shared<T: Send + Sync>() {}
    shared::<Server>();
    shared::<serving::Answer>();
}

fn requests_with_other_shortlists_are_all_answered(schedule: Schedule) {
    let server = server(schedule, Limits::default());
    let english = CAPTIONER.language("en").unwrap();
    let shortlist = CAPTIONER.shortlist_of_languages(&[english]).unwrap();
    let answers: Vec<_> = (0..6)
        .map(|index| {
            let mut request = request();
            request.options.shortlist = (index % 2 == 1).then(|| shortlist.clone());
            server.submit(request).unwrap()
        })
        .collect();
    for answer in answers {
        let (texts, last) = texts(answer);
        assert_eq!(texts, ["horse on a white background"]);
        assert!(matches!(last, Update::Done), "{last:?}");
    }
}
