use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Error;

/// The implementation whose pixels a resize and a crop have.
///
/// The same options give other pixels in each: they differ in the filter's constants, in what is rounded, and in which
/// way a crop with an odd margin rounds. A model sees best through the one that it was trained with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Backend {
    /// `pil`: Pillow's resize. Hugging Face's processors without a suffix had it up to transformers 4, and those with
    /// `Pil` have it in transformers 5.
    #[default]
    Pil,
    /// `torchvision`: torchvision's resize of 8-bit tensors with antialias, as in the classes with `Fast` of
    /// transformers 4 and those without a suffix in transformers 5. Filters: bilinear and bicubic.
    Torchvision,
    /// `torchvision-without-antialias`: torchvision's resize of tensors as it was in 2021, which reads four pixels along each
    /// axis however much an image is reduced, with Keys' cubic of a = -3/4. Filter: bicubic.
    TorchvisionWithoutAntialias,
}

impl Backend {
    /// Every backend.
    pub const ALL: [Self; 3] = [
        Self::Pil,
        Self::Torchvision,
        Self::TorchvisionWithoutAntialias,
    ];

    /// The name that a configuration has.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pil => "pil",
            Self::Torchvision => "torchvision",
            Self::TorchvisionWithoutAntialias => "torchvision-without-antialias",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] if there is no backend of this name.
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = |backend: &Self| backend.name() == text;
        Self::ALL
            .into_iter()
            .find(named)
            .ok_or_else(|| Error::Config {
                key: "resize_backend".to_owned(),
                expected: Self::ALL.map(Self::name).join(", "),
                found: format!("{:?}", text.chars().take(80).collect::<String>()),
            })
    }
}

impl Serialize for Backend {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_another_is_refused() {
        for backend in Backend::ALL {
            assert_eq!(backend.to_string().parse::<Backend>().unwrap(), backend);
        }
        let error = "Torchvision".parse::<Backend>().unwrap_err();
        assert!(error.to_string().contains("\"Torchvision\""), "{error}");
    }
}
