//! How the programs of this workspace talk to their users.
//!
//! File names, vocabularies, tensor names, captions and the answers of servers come from outside. Printed as they are,
//! they could move the cursor, forge lines, or show a name in another order than it is written in. So everything that a
//! program prints goes through a [`Program`]: it [escapes](escaped) such characters, never panics, and knows what a
//! closed pipe and a full disk mean.
//!
//! | what | text | JSON |
//! |---|---|---|
//! | control characters, line separators, bidirectional controls | `\n`, `\x1b`, `\u{202e}` | `\n`, `\u001b`, `\u202e` |
//! | bytes of a name that are not UTF-8 | `\xff` | U+FFFD, and the whole name in [percent form](percent) in a field of its own |
//! | a backslash in a name | `\\` | `\\` |
//!
//! - A reader that closes the pipe, as `head` does, has read enough: nothing more is printed, and the exit code says
//!   what the work came to.
//! - If the output can't be written for another reason, such as a full disk, that is an [`OutputError`]: a message and exit
//!   code 2.
//! - Messages that can't be written to stderr are lost, since there is no other place for them.

#[cfg(feature = "arguments")]
mod arguments;
mod error;
mod escape;
#[cfg(feature = "interrupt")]
mod interrupt;
#[cfg(feature = "json")]
mod json;
mod names;
#[cfg(feature = "page")]
mod page;
mod panics;
mod program;
#[cfg(feature = "progress")]
mod progress;

#[cfg(feature = "arguments")]
pub use arguments::run;
pub use error::{message, message_about};
pub use escape::{escaped, is_escaped};
#[cfg(feature = "interrupt")]
pub use interrupt::stop_at_interrupt;
#[cfg(feature = "json")]
pub use json::json_line;
pub use names::{name, percent};
#[cfg(feature = "page")]
pub use page::{data_url, html, html_head, shortened};
pub use panics::{Fault, catch};
pub use program::{OutputError, Program, run_without_arguments};
#[cfg(feature = "progress")]
pub use progress::Progress;
