use std::time::Duration;

use clap::Args;

/// Bytes of one text of a request: a prefix, a text to score, a word.
pub(crate) const TEXT_BYTES: usize = 1 << 10;

/// Required and forbidden words of a request, and languages.
pub(crate) const WORDS: usize = 64;

/// Fields of a request, parts of a form, messages of a chat and parts of a message.
pub(crate) const FIELDS: usize = 128;

/// Bytes of a request's fields altogether, without pictures.
pub(crate) const FIELD_BYTES: usize = 256 << 10;

/// Pictures of a request that are worked on at the same time, so that one client can't take the whole queue.
pub(crate) const PICTURES_AT_A_TIME: usize = 4;

/// Requests whose body is read and whose first picture has no place in the queue yet. After a moment in which the server did
/// nothing, all clients have a request ready and see the same free place; the memory of those that it is not for is kept by
/// the system's allocator for good.
pub(crate) const COMING: usize = 64;

/// Bytes of the head of a request. The answer to a longer one is 431.
pub(crate) const HEAD_BYTES: usize = 16 << 10;

/// What a client may ask for.
#[derive(Args, Clone, Debug)]
pub(crate) struct LimitArguments {
    /// Bytes of a request.
    #[arg(long, value_name = "N", default_value_t = 32 << 20)]
    pub(crate) max_body_bytes: usize,
    /// Pixels of a picture.
    #[arg(long, value_name = "N", default_value_t = 50_000_000)]
    pub(crate) max_pixels: u64,
    /// Pictures of a request.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) max_images: usize,
    /// Beams of a search, and captions that a search writes at the same time.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) max_num_beams: usize,
    /// Captions per language.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) max_num_return_sequences: usize,
    /// Tokens of a caption. Default: as many as the model can write, at most 256.
    #[arg(long, value_name = "N")]
    pub(crate) max_length: Option<usize>,
    /// Alternatives per token.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) max_alternatives: usize,
    /// Texts to score per request.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) max_texts: usize,
    /// Pictures that wait for their turn, over all clients. The answer to further ones is 503, with a `Retry-After`.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) queue: usize,
    /// Rows of a batch: one for each beam of each language of each picture.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) batch_rows: usize,
    /// Seconds that a picture may take, waiting included.
    #[arg(long, value_name = "S", default_value_t = 120)]
    pub(crate) timeout: u64,
    /// Connections at a time. Further ones wait until one is closed.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub(crate) connections: usize,
    /// Seconds that a client may take to send the head of a request; also how long an idle connection is kept.
    #[arg(long, value_name = "S", default_value_t = 10)]
    pub(crate) head_timeout: u64,
    /// Seconds that a client may take to send the body of a request, and to accept a part of an answer.
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub(crate) body_timeout: u64,
    /// Bytes of requests that are held at a time, over all clients. The answer to further ones is 503.
    #[arg(long, value_name = "N", default_value_t = 256 << 20)]
    pub(crate) request_memory: usize,
    /// Bytes of decoded pictures that wait at a time, over all clients. Further ones are decoded later.
    #[arg(long, value_name = "N", default_value_t = 512 << 20)]
    pub(crate) picture_memory: usize,
    /// Seconds that the server takes to finish what it has accepted when it is asked to stop.
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub(crate) stop_timeout: u64,
}

impl LimitArguments {
    /// The limits of the queue.
    pub(crate) fn of_server(&self) -> serving::Limits {
        serving::Limits {
            queue: self.queue,
            rows: self.batch_rows,
            deadline: self.timeout(),
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    pub(crate) fn head_timeout(&self) -> Duration {
        Duration::from_secs(self.head_timeout)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout)
    }
}
