use serde::{Deserialize, Serialize};

/// A height and a width in a configuration of Hugging Face: one number for both, or a list of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected an integer or [height, width]")]
pub enum HeightWidth {
    /// Both are this.
    Square(usize),
    /// Height and width.
    Rectangle([usize; 2]),
}

impl HeightWidth {
    /// Height and width.
    pub fn get(self) -> [usize; 2] {
        match self {
            Self::Square(size) => [size, size],
            Self::Rectangle(sizes) => sizes,
        }
    }
}

impl From<usize> for HeightWidth {
    fn from(size: usize) -> Self {
        Self::Square(size)
    }
}

impl From<[usize; 2]> for HeightWidth {
    fn from(sizes: [usize; 2]) -> Self {
        Self::Rectangle(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_list_are_read_and_written_as_they_are() {
        for (json, sizes) in [("224", [224, 224]), ("[64,48]", [64, 48])] {
            let read: HeightWidth = serde_json::from_str(json).unwrap();
            assert_eq!(read.get(), sizes);
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
        }
        for json in ["[1]", "[1,2,3]", "\"4\"", "-1", "2.5"] {
            let error = serde_json::from_str::<HeightWidth>(json).unwrap_err();
            assert!(error.to_string().contains("[height, width]"), "{error}");
        }
    }
}
