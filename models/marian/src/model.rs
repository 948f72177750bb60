use burn::tensor::Device;
use packed_linear::Format;
use vision_encoder_decoder::VisionEncoderDecoder;

use crate::{MarianConfig, MarianDecoder, MarianEncoder};

/// A translation model; created by [`MarianConfig::init`].
///
/// Hugging Face: `MarianMTModel`. Reference: Junczys-Dowmunt et al., "Marian: Fast Neural Machine Translation in C++",
/// 2018; Tiedemann and Thottingal, "OPUS-MT: Building open translation services for the World", 2020.
pub type Marian = VisionEncoderDecoder<MarianEncoder, MarianDecoder>;

impl MarianConfig {
    /// Creates the model with fresh weights. They are allocated when they are first used, so loading a checkpoint into
    /// the model costs no extra memory.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init(&self, device: &Device) -> Marian {
        self.init_with(None, device)
    }

    /// Creates the model with packed weights, for inference. They can't be trained; on devices with kernels for them,
    /// they are faster.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`validate`](Self::validate).
    pub fn init_packed(&self, format: Format, device: &Device) -> Marian {
        self.init_with(Some(format), device)
    }

    fn init_with(&self, format: Option<Format>, device: &Device) -> Marian {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        let decoder = MarianDecoder::new(self, format, device);
        let mut encoder = MarianEncoder::new(self, format, device);
        encoder.share_embeddings(&decoder);
        Marian::new(encoder, decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<Marian>();
    }
}
