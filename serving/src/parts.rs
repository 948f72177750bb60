//! The parts of an answer, as every schedule sends them.

use captioning::{Caption, CaptionEvent, Language, Memory};

use crate::answer::{Update, Updates, WrittenCaption};
use crate::job::{Job, Unfinished};
use crate::worker::Worker;

/// Sends a draft; other events are not parts of an answer.
pub(crate) fn send_draft(updates: &Updates, event: CaptionEvent<'_>) {
    if let CaptionEvent::Draft {
        language,
        sequence,
        settled,
        draft,
        ..
    } = event
    {
        updates.send(Update::Draft {
            language,
            sequence,
            settled: settled.to_owned(),
            draft: draft.to_owned(),
        });
    }
}

/// Sends the captions in a language, with the maps that were asked for.
pub(crate) fn send_captions(
    worker: &Worker,
    job: &Job,
    memory: &Memory,
    language: Language,
    captions: Result<Vec<Caption>, captioning::Error>,
) {
    let with_attention = |caption: Caption| {
        worker.recorder.tokens(caption.token_log_probs.len());
        let attention = match job.request.attention {
            true => worker.captioner.attention(memory, 0, &caption, None)?,
            false => Vec::new(),
        };
        Ok(WrittenCaption { caption, attention })
    };
    let captions = captions.and_then(|all| all.into_iter().map(with_attention).collect());
    job.updates.send(Update::Captions { language, captions });
}

/// Scores the given texts in each language, and sends the scores.
pub(crate) fn score(worker: &Worker, job: &Job, memory: &Memory) -> Result<(), Unfinished> {
    let texts: Vec<&str> = job.request.texts.iter().map(String::as_str).collect();
    if texts.is_empty() {
        return Ok(());
    }
    for language in job.request.distinct_languages() {
        job.check()?;
        let config = &job.request.options.generation;
        let scores = worker
            .captioner
            .score(memory.clone(), language, &texts, config);
        // There is one picture.
        let scores = scores.map(|images| images.into_iter().flatten().collect());
        job.updates.send(Update::Scores { language, scores });
    }
    Ok(())
}
