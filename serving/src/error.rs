use std::time::Duration;

/// Why a request that was accepted has no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The picture, the options or the device.
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    /// The request was not finished at its deadline.
    #[error("the request was not finished at its deadline")]
    Deadline,
    /// The work on this request panicked. Others are not affected.
    #[error("this is a fault in the program, please report it: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The thread that captions has ended, although it should not have.
    #[error("the server stopped before the request was finished")]
    Stopped,
}

/// Why a request is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// As many requests wait as may.
    #[error("the queue is full; try again in {} s", .retry_after.as_secs())]
    QueueFull {
        /// When there will probably be room, in full seconds, at least one.
        retry_after: Duration,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}
