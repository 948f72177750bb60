//! Tests of the captioner with the embedded model. They are one program, since each has all of the model in it.

mod common;

mod as_published;
mod attention;
mod builder;
mod embedded;
mod families;
mod joining;
mod new_languages;
mod options;
mod pipeline;
mod precision;
mod saving;
mod scores;
mod streaming;
mod words;
