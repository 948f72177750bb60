use std::error::Error as _;
use std::io::ErrorKind;

use image::ImageError;

use super::kind::Kind;
use crate::Error;

/// What a decoder reports, in words for a user.
pub(super) fn of_decoder(kind: Kind, error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(error) => kind.unsupported(plain(
            &error.to_string(),
            "a variant of the format that is rarely used",
        )),
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            kind.damaged("the file ends too early")
        }
        ImageError::Limits(_) => kind.damaged("its parts are larger than the image they belong to"),
        ImageError::Decoding(error) => {
            let message = error.source().map(ToString::to_string).unwrap_or_default();
            kind.damaged(plain(&message, "its data is not valid"))
        }
        _ => kind.damaged("its data is not valid"),
    }
}

/// A decoder's message, unless it is written for programmers: with names of types, of functions or of values.
fn plain(message: &str, otherwise: &str) -> String {
    let is_for_programmers = |word: &str| {
        let name = word.trim_start_matches(['"', '\'', '(', '[']);
        // `Unknown(24)`, `Header { .. }`, `io::Error`, `read_exact`.
        let called = name
            .split_once('(')
            .is_some_and(|(name, _)| name.chars().any(char::is_alphabetic));
        called || name.contains("::") || name.contains(['`', '_', '{', '}'])
    };
    let message = message.trim();
    let is_short = message.len() <= 200 && !message.contains(char::is_control);
    match !message.is_empty() && is_short && !message.split_whitespace().any(is_for_programmers) {
        true => message.to_owned(),
        false => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_and_functions_are_left_out() {
        for message in [
            "color type `Unknown(24)`",
            "Fax3 Unknown(34925) is unsupported",
            "std::io::Error",
            "Header { width: 3 }",
            "in read_exact",
            "",
            "two\nlines",
        ] {
            assert_eq!(plain(message, "otherwise"), "otherwise", "{message}");
        }
        for message in ["CRC error: expected 0x3 have 0x4", "no image (of 3)"] {
            assert_eq!(plain(message, "otherwise"), message);
        }
    }
}
