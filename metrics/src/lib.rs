//! Scores of captions.
