use serde::{Serialize, Serializer};

/// When beam search may stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyStopping {
    /// When there are as many finished hypotheses as are kept, and the best running one, divided by
    /// its present length, scores below all of them. JSON: `false`.
    #[default]
    Heuristic,
    /// When there are as many finished hypotheses as are kept. JSON: `true`.
    FirstFinished,
    /// When there are as many finished hypotheses as are kept, and no running one can beat them,
    /// however long it grows. JSON: `"never"`.
    Never,
}

impl Serialize for EarlyStopping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Heuristic => serializer.serialize_bool(false),
            Self::FirstFinished => serializer.serialize_bool(true),
            Self::Never => serializer.serialize_str("never"),
        }
    }
}
