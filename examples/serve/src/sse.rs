//! Streams that are written by a future.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::sync::mpsc::UnboundedReceiver;

/// What a future sends, while it runs and after. The future runs only while the stream is read, and ends with it.
pub(crate) struct Written<T> {
    receiver: UnboundedReceiver<T>,
    /// `None` when it is done.
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// A stream of what `work` sends to the receiver.
pub(crate) fn receiver_stream<T>(
    receiver: UnboundedReceiver<T>,
    work: impl Future<Output = ()> + Send + 'static,
) -> Written<T> {
    Written {
        receiver,
        work: Some(Box::pin(work)),
    }
}

impl<T> Stream for Written<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        // What was sent goes first, so that little waits: the work goes on only when everything is read.
        if let Poll::Ready(Some(item)) = self.receiver.poll_recv(context) {
            return Poll::Ready(Some(item));
        }
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            self.work = None;
        }
        self.receiver.poll_recv(context)
    }
}
