//! Downloads models from the Hugging Face Hub.
//!
//! A [`HubModel`] is the name of a repository, optionally with a revision and a subfolder; the address of a model's
//! page is understood too. A [`Hub`] is a
//! client with the address of the Hub, the cache folder and the token. [`Hub::fetch`] downloads the files of
//! a model that a function selects, and returns their folder. It consists of two steps, [`Hub::files`] and
//! [`Hub::download`].
//!
//! ```no_run
//! use hub::{Hub, HubModel};
//!
//! let hub = Hub::from_env()?;
//! let model: HubModel = "flax-community/clip-vit-base-patch32_mbart-large-50:ckpt-51999".parse()?;
//! let all = |names: &[String]| Ok::<_, hub::HubError>(names.to_vec());
//! let folder = hub.fetch(&model, all, &mut |progress| {
//!     if let hub::Progress::Transfer { file, done, total, .. } = progress {
//!         eprint!("\r{file}: {done} of {total} bytes");
//!     }
//! })?;
//! println!("{}", folder.display());
//! # Ok::<(), hub::HubError>(())
//! ```
//!
//! # What is trusted
//! A file appears in the returned folder only after its size and its hash have been checked. The Hub
//! announces both before a transfer: an entity tag of 64 hexadecimal digits is the SHA-256 of a large file,
//! one of 40 digits is git's SHA-1 of a small file. If the tag is of another kind, as a mirror may send it,
//! only the size is checked. Files that are already in the cache are not checked again.
//!
//! If a model is pinned to a commit, the list and the files have to be of that commit, as far as the server says
//! of which they are; another one is [`HubError::Commit`]. Whoever runs the server could still lie about it.
//!
//! The token is sent to the endpoint and to no other server, not even to those that large files are stored
//! on. No message and no `Debug` output has the token, or the user and password of an address.
//!
//! File names that could lead out of the cache folder are refused, and nothing is written through a link below the
//! repository's folder in the cache: a link in place of a file is replaced, one in place of a folder is refused
//! ([`HubError::Link`]). The cache folder and the folders of repositories may be links.
//!
//! # What is limited
//! A list of files has at most 32 MiB and a million files. A body is cut where it exceeds the announced size. The
//! headers of an answer, with all redirects, have to arrive in a minute, a list in five, and a file with at least
//! 256 KiB a minute, over all attempts ([`Hub::with_minimum_speed`]). Before a download, the announced sizes are
//! compared with the free space, on Unix ([`HubError::NoSpace`]).
//!
//! # The cache
//! The cache has the layout of Python's `huggingface_hub`, so that both share their files, and its place is
//! set by the same environment variables. A transfer that broke off continues where it stopped, even in a
//! later run: the transferred part of a file is in `blobs/<entity tag>.incomplete`. Lock files keep two
//! processes from downloading the same file at the same time, if the file system supports locks.
//!
//! If the Hub can't be reached or denies access, a revision that is in the cache is used, as in Python, and
//! [`Progress::FromCache`] says so. Hugging Face: `snapshot_download`.

mod address;
mod cache;
mod client;
mod connection;
mod download;
mod error;
mod etag;
mod listing;
mod metadata;
mod model;
mod own_file;
mod pace;
mod partial;
mod progress;
mod retry;
mod settings;
mod shown;
mod snapshot;
mod space;
mod transfer;
mod web_address;

pub use client::Hub;
pub use error::HubError;
pub use model::HubModel;
pub use progress::Progress;
pub use snapshot::Snapshot;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
