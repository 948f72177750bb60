use super::CaptionRule;
use crate::Caption;

/// Drops captions that have nothing but placeholders, or more of them in a row than allowed: `<PERSON> <PERSON> <PERSON>`.
/// Such runs are among the limits that the original states of its data.
pub(super) struct Placeholders {
    pub(super) placeholders: Vec<String>,
    /// How many may follow each other.
    pub(super) most: Option<usize>,
}

impl CaptionRule for Placeholders {
    fn name(&self) -> &'static str {
        "placeholders"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let (mut run, mut longest, mut count) = (0, 0, 0);
        let mut has_words = false;
        let mut rest = caption.text.as_str();
        while let Some(next) = rest.chars().next() {
            let found = self
                .placeholders
                .iter()
                .find(|text| rest.starts_with(text.as_str()));
            if let Some(found) = found.filter(|text| !text.is_empty()) {
                run += 1;
                count += 1;
                longest = longest.max(run);
                rest = &rest[found.len()..];
                continue;
            }
            // Spaces and punctuation do not end a run.
            if next.is_alphanumeric() {
                run = 0;
                has_words = true;
            }
            rest = &rest[next.len_utf8()..];
        }
        match self.most {
            _ if count > 0 && !has_words => Some(format!("nothing but {count}")),
            Some(most) if longest > most => Some(format!("{longest} in a row")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::caption;
    use super::*;

    #[test]
    fn runs_and_captions_of_placeholders_alone_are_found() {
        let rule = Placeholders {
            placeholders: vec!["<PERSON>".into(), "[name]".into()],
            most: Some(2),
        };
        let check = |text| rule.check(&caption(text));
        assert_eq!(check("<PERSON>").unwrap(), "nothing but 1");
        assert_eq!(check("<PERSON>, [name].").unwrap(), "nothing but 2");
        assert_eq!(
            check("at home: <PERSON> <PERSON>, <PERSON>").unwrap(),
            "3 in a row"
        );
        for text in [
            "<PERSON> <PERSON> at home",
            "<PERSON>, <PERSON> and <PERSON>",
            "a person",
            "<person>",
            "!",
        ] {
            assert_eq!(check(text), None, "{text}");
        }
    }
}
