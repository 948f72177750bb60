use std::sync::Arc;

use crate::{StoppingCriterion, Vocabulary};

/// Complete when the last token completes one of the strings.
///
/// The string stays in the text, with all of the text of its last token. Hugging Face:
/// `StopStringCriteria`.
#[derive(Clone, Debug)]
pub(super) struct StopStrings {
    strings: Vec<String>,
    vocabulary: Arc<Vocabulary>,
}

impl StopStrings {
    /// A text ends with any of these strings.
    pub(super) fn new(strings: Vec<String>, vocabulary: Arc<Vocabulary>) -> Self {
        Self {
            strings,
            vocabulary,
        }
    }
}

impl StoppingCriterion for StopStrings {
    fn is_complete(&self, tokens: &[u32]) -> bool {
        let added = tokens.last().and_then(|last| self.vocabulary.text(*last));
        let Some(added) = added.filter(|added| !added.is_empty()) else {
            return false;
        };
        let text = self.vocabulary.text_after_special(tokens);
        let before = text.len() - added.len();
        self.strings.iter().any(|string| {
            // Only occurrences that include text of the last token count, so the search starts at the
            // first position where one can.
            let mut start = (before + 1).saturating_sub(string.len());
            while !text.is_char_boundary(start) {
                start += 1;
            }
            text[start..].contains(string.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_found_across_tokens_where_it_ends() {
        let texts = [
            None,
            Some(" eine"),
            Some(" Stra"),
            Some("ße."),
            Some(" é"),
            Some(""),
        ];
        let vocabulary = Arc::new(Vocabulary::new(texts));
        let stops = |strings: &[&str], tokens: &[u32]| {
            let strings = strings.iter().map(|s| s.to_string()).collect();
            StopStrings::new(strings, vocabulary.clone()).is_complete(tokens)
        };
        assert!(stops(&["raße"], &[0, 1, 2, 3]));
        assert!(stops(&["nope", "."], &[0, 3]));
        assert!(!stops(&["raße"], &[0, 1, 2]));
        assert!(!stops(&["raße"], &[0, 2, 3, 4]), "it ended before");
        assert!(!stops(&["eine"], &[1, 0]), "the end token adds nothing");
        assert!(!stops(&["eine"], &[1, 5]));
        assert!(!stops(&["n"], &[]));
        assert!(stops(&["ß"], &[3]) && stops(&["é"], &[4]));
    }
}
