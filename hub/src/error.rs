use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use whole_files::ReadError;

/// Why a model could not be fetched from the Hub.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// A text is not the name of a model.
    #[error(
        "{text:?} is not the name of a Hub model: {reason}; \
         expected owner/name, owner/name@revision or owner/name@revision:subfolder"
    )]
    Name {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An address was given in place of the name of a model, and it is not that of a model.
    #[error(
        "{address:?} is not the address of a model on the Hub: {reason}; expected owner/name or an address such as https://huggingface.co/owner/name"
    )]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The address of the Hub is not a valid HTTP address.
    #[error("expected an address such as https://huggingface.co as HF_ENDPOINT, found {found:?}")]
    Endpoint {
        /// The address that was given, without user and password.
        found: String,
    },
    /// The token can't be sent. The message does not repeat it.
    #[error(
        "the token in HF_TOKEN or the token file has characters that are not allowed in a token; copy it again"
    )]
    Token,
    /// No environment variable says where the cache could be.
    #[error("found no folder for downloaded models; set HF_HUB_CACHE, HF_HOME or HOME")]
    NoCacheFolder,
    /// A file of the cache can't be read or written.
    #[error(
        "can't {action} {path}; check permissions and free space, or set HF_HUB_CACHE to another folder"
    )]
    Io {
        /// The operation that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file with the token can't be read.
    #[error(
        "can't use the file of the token; HF_TOKEN_PATH says where it is, and HF_TOKEN can be set instead"
    )]
    TokenFile {
        /// The file, and what is wrong with it.
        source: ReadError,
    },
    /// A folder of the cache is a link. Files that a server names would be written wherever it leads.
    #[error(
        "expected a folder of the cache at {path}, found a link; delete it, or set HF_HUB_CACHE to another folder"
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The file system of the cache does not have room for the files.
    #[error(
        "the download needs {needed} bytes, but only {available} are free in {folder}; free some space, or set HF_HUB_CACHE to another folder"
    )]
    NoSpace {
        /// The folder of the cache.
        folder: PathBuf,
        /// Bytes that are still to be transferred.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// The server can't be reached, or the connection broke before it answered.
    #[error(
        "can't reach {server} ({reason}); check the network and HF_ENDPOINT, \
         or set HF_HUB_OFFLINE=1 to use only what is downloaded already"
    )]
    Unreachable {
        /// The server.
        server: String,
        /// What went wrong.
        reason: String,
    },
    /// The Hub denies access to the model.
    #[error(
        "{endpoint} refuses access to {repository} (HTTP {status}): there is no such model, or it is \
         private or gated, or the token is wrong; check the name, accept the model's conditions on \
         its page if it has any, and set HF_TOKEN to a token that may read it"
    )]
    Denied {
        /// The address of the Hub.
        endpoint: String,
        /// `owner/name`.
        repository: String,
        /// 401 or 403.
        status: u16,
    },
    /// The Hub has no such model.
    #[error(
        "{endpoint} has no model {repository}, or not with revision {revision}; check the name, \
         and set HF_TOKEN if the model is private"
    )]
    NoRepository {
        /// The address of the Hub.
        endpoint: String,
        /// `owner/name`.
        repository: String,
        /// The revision that was requested.
        revision: String,
    },
    /// The model has no such revision.
    #[error("{repository} has no revision {revision}; name a branch, a tag or a commit of it")]
    NoRevision {
        /// `owner/name`.
        repository: String,
        /// The revision that was requested.
        revision: String,
    },
    /// The model has no such file or folder.
    #[error("{model} has no {file}; look at the list of files on the model's page")]
    NoFile {
        /// The model.
        model: String,
        /// What was looked for.
        file: String,
    },
    /// The server answered with another HTTP status than success.
    #[error("{url} answered with HTTP {status}; try again later")]
    Status {
        /// The address that was requested.
        url: String,
        /// The status.
        status: u16,
    },
    /// The server has another commit than the one that was asked for.
    #[error(
        "expected commit {expected} of {model}, but the server says that it is {found}; nothing of it was used"
    )]
    Commit {
        /// The model.
        model: String,
        /// The commit that the user named, or that the list of files is of.
        expected: String,
        /// What the server sent.
        found: String,
    },
    /// The server sends so slowly that the transfer would not end in a useful time.
    #[error("{file}: fewer than {minimum} bytes arrived in {} seconds, at {done} bytes; try again, a file continues there", .window.as_secs_f32())]
    TooSlow {
        /// The file, or the list of files.
        file: String,
        /// Bytes that have been transferred.
        done: u64,
        /// The fewest bytes that have to arrive in each window.
        minimum: u64,
        /// The length of a window.
        window: Duration,
    },
    /// The answer is not valid for a Hugging Face Hub.
    #[error(
        "expected an answer of a Hugging Face Hub from {url}, found {reason}; check HF_ENDPOINT"
    )]
    Response {
        /// The address that was requested.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The server sent a file name that could lead out of the cache folder.
    #[error(
        "{model} lists a file named {name:?}, which is not a safe relative path; nothing was downloaded"
    )]
    UnsafeName {
        /// The model.
        model: String,
        /// The name.
        name: String,
    },
    /// A transfer broke off, even after several attempts.
    #[error(
        "{file}: the transfer broke off at {done} of {size} bytes ({reason}); \
         try again, it continues there"
    )]
    Interrupted {
        /// The file.
        file: String,
        /// Bytes that have been transferred.
        done: u64,
        /// Bytes of the file.
        size: u64,
        /// What went wrong.
        reason: String,
    },
    /// The content does not have the announced size. It was deleted.
    #[error("{file}: expected {expected} bytes, found {found}; the content was deleted, try again")]
    Size {
        /// The file.
        file: String,
        /// Bytes that were announced.
        expected: u64,
        /// Bytes that were transferred or that the server wanted to send.
        found: u64,
    },
    /// The content does not have the announced hash. It was deleted.
    #[error(
        "{file}: expected content with hash {expected}, found {found}; the content was deleted, try again"
    )]
    Hash {
        /// The file.
        file: String,
        /// The hash that was announced.
        expected: String,
        /// The hash of the content.
        found: String,
    },
    /// The cache does not have all files, and the network must not be used.
    #[error(
        "the cache {cache} does not have {model}: {reason}; \
         unset HF_HUB_OFFLINE to download it"
    )]
    NotCached {
        /// The model.
        model: String,
        /// The folder of the cache.
        cache: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The model does not have all files that are needed.
    #[error("{model} can't be used")]
    Files {
        /// The model.
        model: String,
        /// The error of the function that selects files.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl HubError {
    /// Whether the same request may succeed when it is repeated.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Interrupted { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether the cache may be used instead: the Hub can't be reached or denies access. A revision that
    /// does not exist is a mistake of the user, which the cache must not hide.
    pub(crate) fn allows_cache(&self) -> bool {
        self.is_transient()
            || matches!(
                self,
                Self::Denied { .. } | Self::NoRepository { .. } | Self::TooSlow { .. }
            )
    }
}

/// Wraps an error of the operating system with the path that it is about.
pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> HubError {
    let path = path.to_owned();
    move |source| HubError::Io {
        action,
        path,
        source,
    }
}
