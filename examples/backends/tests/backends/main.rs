//! The models on every device that is compiled in, against what transformers computed from the same
//! weights. `flex` is always among them; docs/backends.md says how to have the others.
//!
//! With `-- --nocapture` the tests print how far each device is from the reference.

mod captions;
mod devices;
mod packed;
mod reference;
mod search;
mod state;
mod states;
