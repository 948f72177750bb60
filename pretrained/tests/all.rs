//! Tests of models and their files. They are one program, since each has all models in it.

mod common;

mod as_published;
mod bounds;
mod damaged_checkpoints;
mod damaged_forms;
mod decoders;
mod encoders;
mod forms;
mod new_tokens;
mod packed;
mod python_configurations;
mod saved;
mod tied_head;
mod translator;
