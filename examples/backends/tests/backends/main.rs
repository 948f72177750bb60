//! Compares the models on every device that is compiled in with what transformers computed from the same
//! weights. `flex` is always compiled in; docs/backends.md says how to add the others.
//!
//! With `-- --nocapture` the tests print how much each device differs from the reference.

mod captions;
mod devices;
mod packed;
mod reference;
mod search;
mod state;
mod states;
