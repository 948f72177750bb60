/// Why captions can't be scored.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A prediction has nothing to be compared with.
    #[error("a prediction has no reference: every prediction needs at least one")]
    NoReference,
    /// Two lists belong together and do not have the same length.
    #[error(
        "there are {predictions} predictions and references for {references}: expected as many of one as of the other"
    )]
    Lengths {
        /// The number of predictions.
        predictions: usize,
        /// The number of lists of references.
        references: usize,
    },
    /// A text is longer than any caption.
    #[error("a text has {bytes} bytes, more than the {limit} that a caption may have")]
    TooLong {
        /// The length of the text.
        bytes: usize,
        /// The greatest length that is scored.
        limit: usize,
    },
    /// A file of a Punkt model is not what it should be.
    #[error("line {line} of {file} has not {expected}")]
    PunktModel {
        /// The name of the file in NLTK's `punkt_tab`.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What the line should have.
        expected: &'static str,
    },
}
