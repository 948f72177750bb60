//! Makes the models of this workspace encoders and decoders.

mod clip_vision;
mod mbart50_decoder;
