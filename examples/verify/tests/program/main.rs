//! Runs the compiled program on reference folders: unchanged, with a single changed value, and damaged.

#[cfg(unix)]
#[path = "../../../report/tests/streams/mod.rs"]
mod broken;
mod changed_images;
mod changed_model;
mod changed_text;
mod folders;
mod json;
mod metrics;
mod processors;
mod published;
mod references;
mod run;
#[cfg(unix)]
mod streams;
mod training;
mod unreadable;
