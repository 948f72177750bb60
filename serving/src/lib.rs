//! Requests that share one [`Captioner`](captioning::Captioner): a bounded queue, deadlines, cancelling.
//!
//! A captioner can be called from any thread, but two calls at a time take each other's cores and memory. A [`Server`]
//! has one thread that captions; everybody else hands it requests and gets an [`Answer`], to wait for on a thread or in
//! any async runtime. This crate knows no HTTP and no runtime: the program `serve` is one use of it.
//!
//! - [`Server::submit`] never blocks. When as many requests wait as [`Limits::queue`] says, it returns
//!   [`Refused::QueueFull`] with an estimate of when there is room again.
//! - Whoever drops an [`Answer`] cancels its request: it leaves the queue, or ends within a step of the search.
//! - A request ends at its deadline with [`Error::Deadline`].
//! - What fails, fails alone: an error, and also a panic, ends its request and no other.
//! - A reader that is slow gets fewer drafts, and takes no memory for those that it missed.
//! - [`Server::stop`] accepts nothing more, and what was accepted is answered.
//!
//! ```
//! use std::sync::Arc;
//!
//! use burn::tensor::Device;
//! use captioning::{Captioner, CaptionOptions, open_image};
//! use serving::{Limits, Request, Schedule, Server, Update};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let captioner = Arc::new(Captioner::embedded(&Device::flex())?);
//! let server = Server::new(captioner, Limits::default(), Schedule::OneAtATime)?;
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../captioning/tests/samples/02-fluent-emoji-1f40e.png");
//! let captioner = server.captioner();
//! let options = CaptionOptions::new(captioner.generation_config().clone());
//! let request = Request::new(open_image(path)?, vec![captioner.language("en")?], options);
//! for update in server.submit(request)? {
//!     if let Update::Captions { captions, .. } = update {
//!         assert_eq!(captions?[0].caption.text, "horse on a white background");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Schedule`] decides which requests run together; everything else is the same for all of them.

mod answer;
mod batched;
mod error;
mod job;
mod metrics;
mod one_at_a_time;
mod parts;
mod queue;
mod request;
mod server;
mod worker;

pub use answer::{Answer, Update, WrittenCaption};
pub use error::{Error, Refused};
pub use metrics::{Histogram, Metrics};
pub use request::Request;
pub use server::{Limits, Schedule, Server};
