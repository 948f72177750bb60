use serde_json::Value;

use crate::{Caption, Captioner, Error};

/// How the tokens begin that a field of Donut is written between.
const FIELD: &str = "<s_";

impl Captioner {
    /// The fields of a document that a Donut wrote, as transformers' `DonutProcessor.token2json` reads them:
    /// `{"menu": [{"name": "tea", "count": "2"}]}`. `None` if the caption has no such tokens, which
    /// [`Caption::text`] leaves out.
    ///
    /// # Errors
    /// [`Error::Preprocess`] if the tokenizer fails.
    pub fn fields(&self, caption: &Caption) -> Result<Option<Value>, Error> {
        let tokenizer = self.tokenizer();
        // The first token is that of the task.
        let written = caption.ids.get(1..).unwrap_or_default();
        let ends = &self.generation_config().eos_token_id;
        let end = written.iter().position(|id| ends.contains(id));
        let written = &written[..end.unwrap_or(written.len())];
        let is_field = |id: &u32| {
            let token = tokenizer.id_to_token(*id);
            token.is_some_and(|token| token.starts_with(FIELD))
        };
        if !written.iter().any(is_field) {
            return Ok(None);
        }
        let text = tokenizer.decode(written, false)?;
        Ok(Some(tokenizer.tokens_to_json(&text)))
    }
}
