use std::path::{Path, PathBuf};

use crate::checkpoint::list;

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
    /// The address of the Hub is none.
    #[error("expected an address such as https://huggingface.co as HF_ENDPOINT, found {found:?}")]
    Endpoint {
        /// What was given.
        found: String,
    },
    /// The token, which this message does not repeat, can't be sent.
    #[error(
        "the token in HF_TOKEN or the token file holds characters that no token has; copy it again"
    )]
    Token,
    /// The environment names no folder where the cache could be.
    #[error("found no folder for downloaded models; set HF_HUB_CACHE, HF_HOME or HOME")]
    NoCacheFolder,
    /// A file of the cache can't be read or written.
    #[error(
        "can't {action} {path}; check permissions and free space, or set HF_HUB_CACHE to another folder"
    )]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No connection, or none that lasted until an answer.
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
    /// The Hub does not show this model, or not to this token.
    #[error(
        "{endpoint} refuses access to {repository} (HTTP {status}): there is no such model, or it is \
         private or gated, or the token is wrong; check the name, accept the model's conditions on \
         its page if it has any, and set HF_TOKEN to a token that may read it"
    )]
    Denied {
        /// The Hub.
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
        /// The Hub.
        endpoint: String,
        /// `owner/name`.
        repository: String,
        /// The revision that was asked for.
        revision: String,
    },
    /// The model has no such revision.
    #[error("{repository} has no revision {revision}; name a branch, a tag or a commit of it")]
    NoRevision {
        /// `owner/name`.
        repository: String,
        /// The revision that was asked for.
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
    /// The server is in trouble, or does not want this request.
    #[error("{url} answered with HTTP {status}; try again later")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// The answer is not what a Hub says.
    #[error(
        "expected an answer of a Hugging Face Hub from {url}, found {reason}; check HF_ENDPOINT"
    )]
    Response {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A file name from the server that could lead out of the cache.
    #[error(
        "{model} lists a file named {name:?}, which is no safe relative path; nothing was fetched"
    )]
    UnsafeName {
        /// The model.
        model: String,
        /// The name.
        name: String,
    },
    /// A transfer broke off, again and again.
    #[error(
        "{file}: the transfer broke off at {done} of {size} bytes ({reason}); \
         try again, it continues there"
    )]
    Interrupted {
        /// The file.
        file: String,
        /// Bytes that are here.
        done: u64,
        /// Bytes that the file has.
        size: u64,
        /// What went wrong.
        reason: String,
    },
    /// The content has another length than announced. It is deleted.
    #[error("{file}: expected {expected} bytes, found {found}; what came is deleted, try again")]
    Size {
        /// The file.
        file: String,
        /// Bytes that were announced.
        expected: u64,
        /// Bytes that came or would have come.
        found: u64,
    },
    /// The content has another hash than announced. It is deleted.
    #[error(
        "{file}: expected content with hash {expected}, found {found}; it is deleted, try again"
    )]
    Hash {
        /// The file.
        file: String,
        /// The hash that was announced.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// The network may not be used and the cache does not suffice.
    #[error(
        "the cache {cache} does not hold {model}: {reason}; \
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
    /// A model's folder lacks files without which it can't be used.
    #[error("expected {wanted} ({}), found {}", .looked_for.join(", "), files(.found))]
    MissingFiles {
        /// What is missing.
        wanted: &'static str,
        /// The names that were looked for.
        looked_for: Vec<String>,
        /// The files that are there.
        found: Vec<String>,
    },
}

impl HubError {
    /// Whether the same request may succeed a moment later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Interrupted { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether what is in the cache may be used instead: the Hub was not there or did not let us in.
    /// A revision that it says does not exist is a mistake of the user's instead.
    pub(super) fn allows_cache(&self) -> bool {
        self.is_transient() || matches!(self, Self::Denied { .. } | Self::NoRepository { .. })
    }
}

/// Wraps what the system said about a path.
pub(super) fn io_error(
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

fn files(names: &[String]) -> String {
    match names {
        [] => "no files".into(),
        names => list(names),
    }
}
