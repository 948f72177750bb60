//! Downloads models from the Hugging Face Hub (feature `hub`).
//!
//! A [`HubModel`] names a repository, perhaps a revision and a folder in it; a [`Hub`] knows where
//! the Hub and the cache are. [`Hub::checkpoint`] fetches what a checkpoint consists of and returns a
//! folder that opens like any other; [`Hub::files`] and [`Hub::download`] are its two steps.
//!
//! ```no_run
//! use vision_encoder_decoder::hub::{Hub, HubModel};
//!
//! let hub = Hub::from_env()?;
//! let model: HubModel = "flax-community/clip-vit-base-patch32_mbart-large-50:ckpt-51999".parse()?;
//! let folder = hub.checkpoint(&model, &mut |progress| {
//!     eprint!("\r{}: {} of {} bytes", progress.file, progress.done, progress.total);
//! })?;
//! println!("{}", folder.display());
//! # Ok::<(), vision_encoder_decoder::hub::HubError>(())
//! ```
//!
//! # What is trusted
//! A file shows up in the returned folder only after its size and its hash are checked. The Hub says
//! both before a transfer: an entity tag of 64 hexadecimal digits is the SHA-256 of a large file, one
//! of 40 is the SHA-1 that git gives a small one. Of a file with any other tag, as a mirror may send,
//! only the size can be checked. Files that are in the cache already are taken as they are.
//!
//! The token goes to the endpoint and to no other server, so not to the ones that large files come
//! from. Names that a server sends are refused where they could leave the cache folder.
//!
//! # The cache
//! It has the layout of Python's `huggingface_hub`, so that both use each other's files, and obeys
//! the same environment variables. A transfer that broke off continues where it stopped, in the same
//! run and in later ones; what is there of a file is in `blobs/<entity tag>.incomplete`. Lock files
//! keep processes from fetching the same file twice; they need a file system that locks.
//!
//! Where the Hub can't be reached or refuses, a revision that is in the cache is used, as Python
//! does. Hugging Face: `snapshot_download`.

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
mod partial;
mod progress;
mod retry;
mod selection;
mod settings;
mod transfer;

pub use client::Hub;
pub use error::HubError;
pub use listing::Snapshot;
pub use model::HubModel;
pub use progress::Progress;
pub use selection::{checkpoint_files, tokenizer_files};
