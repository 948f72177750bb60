//! Pictures of clients: bytes or base64, decoded outside of the threads that answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use captioning::RgbImage;
use preprocess::image::decode::{DecodeOptions, decode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::{outside, permits};
use crate::failure::Failure;

/// Base64 with or without padding, as clients send both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A picture as a client sent it.
pub(crate) struct Picture {
    /// The name of its file, if the client gave one. It is only repeated in the answer.
    pub(crate) name: Option<String>,
    pub(crate) data: Data,
}

/// The bytes of a picture's file.
pub(crate) enum Data {
    Bytes(Bytes),
    Base64(String),
}

/// A picture in memory, and the permit for it.
pub(crate) struct Decoded {
    pub(crate) image: RgbImage,
    pub(crate) hold: OwnedSemaphorePermit,
}

/// Decodes pictures, a few at a time.
pub(crate) struct Decoder {
    options: DecodeOptions,
    memory: Arc<Semaphore>,
    all_memory: usize,
    at_a_time: Semaphore,
}

impl Decoder {
    /// `memory` are the permits of decoded pictures that wait.
    pub(crate) fn new(options: DecodeOptions, memory: Arc<Semaphore>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            options,
            all_memory: memory.available_permits(),
            memory,
            at_a_time: Semaphore::new(threads),
        }
    }

    /// Decodes a picture as soon as there is a thread and memory for it.
    pub(crate) async fn decode(&self, data: Data) -> Result<Decoded, Failure> {
        let closed = |_| Failure::fault("pictures are not decoded any more");
        // Held until there is room for the result, so that only a few pictures are larger than what has a permit.
        let _turn = self.at_a_time.acquire().await.map_err(closed)?;
        let options = self.options.clone();
        let image = outside(move || {
            let bytes = match data {
                Data::Bytes(bytes) => bytes,
                Data::Base64(text) => from_base64(&text)?.into(),
            };
            decode(&bytes, &options).map_err(|error| of_decoder(&error))
        })
        .await?;
        // A picture that is larger than all memory has to be alone.
        let all = u32::try_from(self.all_memory).unwrap_or(u32::MAX);
        let needed = permits(image.pixels().len()).min(all);
        let hold = Arc::clone(&self.memory).acquire_many_owned(needed);
        let hold = hold.await.map_err(closed)?;
        Ok(Decoded { image, hold })
    }
}

impl Picture {
    /// A picture in a JSON field: a data URL, or base64 alone as in Ollama's API.
    pub(crate) fn from_text(text: String, name: Option<String>) -> Result<Self, Failure> {
        let lower: String = text
            .chars()
            .take(8)
            .collect::<String>()
            .to_ascii_lowercase();
        if lower.starts_with("http:") || lower.starts_with("https:") {
            return Err(Failure::invalid(
                "address_not_fetched",
                "this server fetches no addresses: send the picture itself, as a data URL (data:image/png;base64,...)",
            ));
        }
        let text = match lower.starts_with("data:") {
            true => of_data_url(&text)?,
            false => text,
        };
        Ok(Self {
            name,
            data: Data::Base64(text),
        })
    }
}

/// The base64 of a data URL.
fn of_data_url(url: &str) -> Result<String, Failure> {
    let invalid = |message: &str| Failure::invalid("invalid_data_url", message);
    let (head, data) = url.split_once(',').ok_or_else(|| {
        invalid("a data URL has a comma before its data: data:image/png;base64,...")
    })?;
    let is_base64 = head
        .rsplit(';')
        .next()
        .is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    match is_base64 {
        true => Ok(data.to_owned()),
        false => Err(invalid(
            "only data URLs in base64 are read: data:image/png;base64,...",
        )),
    }
}

fn from_base64(text: &str) -> Result<Vec<u8>, Failure> {
    let decoded = match text.contains(|one: char| one.is_ascii_whitespace()) {
        // Python's `encodebytes` and many others break lines.
        true => BASE64.decode(text.split_ascii_whitespace().collect::<String>()),
        false => BASE64.decode(text),
    };
    decoded.map_err(|error| {
        Failure::invalid(
            "invalid_base64",
            format!("the picture is not base64: {error}"),
        )
    })
}

fn of_decoder(error: &preprocess::Error) -> Failure {
    use preprocess::Error;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, code) = match error {
        Error::ImageTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "picture_too_large"),
        Error::UnknownFormat { .. } => (unprocessable, "not_an_image"),
        Error::ForeignFormat { .. } | Error::UnsupportedImage { .. } => {
            (unprocessable, "unsupported_image")
        }
        _ => (unprocessable, "damaged_image"),
    };
    Failure::new(status, code, report::message(error)).about("images")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64_of(text: &str) -> Result<Vec<u8>, Failure> {
        match Picture::from_text(text.into(), None)?.data {
            Data::Base64(text) => from_base64(&text),
            Data::Bytes(bytes) => Ok(bytes.into()),
        }
    }

    #[test]
    fn data_urls_and_base64_are_read_with_and_without_padding_and_line_breaks() {
        for text in [
            "data:image/png;base64,YWI=",
            "data:;base64,YWI",
            "DATA:image/png;charset=x;BASE64,YWI=",
            "YW\nI=\n",
            "YWI",
        ] {
            assert_eq!(base64_of(text).ok().unwrap(), b"ab", "{text}");
        }
    }

    #[test]
    fn what_is_not_a_picture_in_base64_is_refused() {
        for (text, code) in [
            ("https://example.org/a.png", "address_not_fetched"),
            ("HTTP://localhost/", "address_not_fetched"),
            ("data:image/png", "invalid_data_url"),
            ("data:image/svg+xml,<svg/>", "invalid_data_url"),
            ("data:image/png;base64,*", "invalid_base64"),
            ("file:///etc/passwd", "invalid_base64"),
            ("ü", "invalid_base64"),
        ] {
            let failure = base64_of(text).unwrap_err();
            let record = serde_json::to_value(failure.record()).unwrap();
            assert_eq!(record["code"], code, "{text}");
        }
    }
}
