use std::io::ErrorKind;

use preprocess::Error;
use whole_files::ReadError;

use super::Reason;

/// What the check of a picture found. It says nothing about rules, so it stays true when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts {
    /// The picture decodes.
    Sound(Sound),
    /// It can't be used.
    Unusable(Unusable),
}

/// A picture that decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// What identifies it: the first 16 bytes of a SHA-256, see [`Identity`](super::Identity).
    pub identity: [u8; 16],
    /// The perceptual hash, if it was asked for.
    pub near: Option<u64>,
}

/// A picture that can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// What kind of problem it is.
    pub problem: Problem,
    /// The problem in words.
    pub message: String,
}

/// Why a picture can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no such file.
    Missing,
    /// The file can't be read, or is not a regular file.
    Unreadable,
    /// The content is not an image in a known format.
    NotAnImage,
    /// The image is cut short or damaged.
    Damaged,
    /// A kind of image that is not decoded.
    Unsupported,
    /// It has more pixels than are decoded.
    TooLarge,
}

impl Problem {
    pub(super) const ALL: [Self; 6] = [
        Self::Missing,
        Self::Unreadable,
        Self::NotAnImage,
        Self::Damaged,
        Self::Unsupported,
        Self::TooLarge,
    ];

    /// The name of the rule that drops such a picture.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Missing => "missing_image",
            Self::Unreadable => "unreadable_image",
            Self::NotAnImage => "not_an_image",
            Self::Damaged => "damaged_image",
            Self::Unsupported => "unsupported_image",
            Self::TooLarge => "too_large",
        }
    }

    /// Whether the problem may be gone at the next look, though the file is the same.
    pub(super) fn may_pass(self) -> bool {
        matches!(self, Self::Missing | Self::Unreadable)
    }
}

impl Unusable {
    pub(super) fn reason(&self) -> Reason {
        Reason::new(self.problem.rule(), self.message.clone())
    }
}

impl From<&ReadError> for Unusable {
    fn from(error: &ReadError) -> Self {
        let problem = match error {
            _ if error.is_not_found() => Problem::Missing,
            // A folder of the path is a file.
            ReadError::Io { source, .. } if source.kind() == ErrorKind::NotADirectory => {
                Problem::Missing
            }
            ReadError::StandIn { .. } => Problem::NotAnImage,
            ReadError::TooLarge { .. } => Problem::TooLarge,
            _ => Problem::Unreadable,
        };
        Self {
            problem,
            message: chain(error),
        }
    }
}

impl From<&Error> for Unusable {
    fn from(error: &Error) -> Self {
        let problem = match error {
            Error::Read(error) => return error.into(),
            Error::File { source, .. } => return source.as_ref().into(),
            Error::UnknownFormat { .. } | Error::ForeignFormat { .. } => Problem::NotAnImage,
            Error::UnsupportedImage { .. } => Problem::Unsupported,
            Error::ImageTooLarge { .. } => Problem::TooLarge,
            _ => Problem::Damaged,
        };
        Self {
            problem,
            message: chain(error),
        }
    }
}

/// The longest message in bytes. Messages quote at most a path and a few words of a file.
pub(super) const LONGEST_MESSAGE: usize = 8192;

/// An error with its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message.push_str(": ");
        message.push_str(&error.to_string());
        source = error.source();
    }
    message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
    message
}
