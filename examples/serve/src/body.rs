//! The body of a request: read within limits of size, time and memory.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::app::App;
use crate::failure::Failure;

/// What one permit stands for.
const UNIT: usize = 1 << 10;

/// Memory that all clients share, in permits of a KiB.
pub(crate) fn memory(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS)))
}

/// The permits that bytes need.
pub(crate) fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// A whole body, and the permits for it.
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    pub(crate) hold: Hold,
}

/// What a request takes that others have to do without.
pub(crate) struct Hold {
    /// The memory of its body.
    pub(crate) memory: OwnedSemaphorePermit,
    /// The way to the queue.
    pub(crate) coming: OwnedSemaphorePermit,
}

/// Reads the body of a request for captions, if there is room for them.
pub(crate) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Whole, Failure> {
    let limit = app.limits.max_body_bytes;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(too_large(limit));
    }
    // Before it is kept in memory, since thousands of clients may be asking while there is no room.
    if let Err(refused) = app.server.check_room() {
        let _ = timeout(app.limits.body_timeout(), discard(body, limit)).await;
        return Err(refused.into());
    }
    let busy = |_| {
        let message = "too many requests are being read; try again in 2 s";
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).later(2)
    };
    let memory = Arc::clone(&app.request_memory)
        .try_acquire_many_owned(permits(announced.unwrap_or(limit)))
        .map_err(busy)?;
    let begun = Instant::now();
    let bytes = timeout(app.limits.body_timeout(), whole(body, announced, limit));
    let bytes = bytes.await.unwrap_or_else(|_| {
        let seconds = begun.elapsed().as_secs();
        let message = format!("the body of the request was not complete after {seconds} s");
        Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            message,
        ))
    })?;
    // Not before, since slow clients would keep the others out.
    let coming = Arc::clone(&app.coming).try_acquire_owned().map_err(busy)?;
    let hold = Hold { memory, coming };
    Ok(Whole { bytes, hold })
}

async fn whole(body: Body, announced: Option<usize>, limit: usize) -> Result<Bytes, Failure> {
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| {
            let message = format!("the body of the request is not complete: {error}");
            Failure::invalid("incomplete_body", message)
        })?;
        if bytes.len() + part.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.into())
}

/// Reads a body and drops it, since many clients read no answer before they have sent everything.
async fn discard(body: Body, limit: usize) {
    let mut parts = body.into_data_stream();
    let mut bytes = 0;
    while let Some(Ok(part)) = parts.next().await {
        bytes += part.len();
        if bytes > limit {
            return;
        }
    }
}

fn too_large(limit: usize) -> Failure {
    let message = format!("the request has more than the {limit} bytes that this server takes");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
}

/// The media type of a request's body, in lower case and without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// The error for a body of another media type than expected.
pub(crate) fn wrong_media_type(headers: &HeaderMap, expected: &str) -> Failure {
    let found = media_type(headers);
    let message = format!("expected a body of {expected}, found {found:?}");
    Failure::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        message,
    )
}

/// Does work that takes long on a thread of its own. A panic becomes an error.
pub(crate) async fn outside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(Failure::fault(
            "the work on this request panicked; please report it",
        ))
    })
}
