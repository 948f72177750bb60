use preprocess::text::Language;

use super::CaptionRule;
use crate::Caption;

/// Drops captions in other languages than those that are wanted.
pub(super) struct UnwantedLanguage(pub(super) Vec<Language>);

impl CaptionRule for UnwantedLanguage {
    fn name(&self) -> &'static str {
        "unwanted_language"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let is_wanted = self.0.contains(&caption.language);
        (!is_wanted).then(|| caption.language.name.to_owned())
    }
}
