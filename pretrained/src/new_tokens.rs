//! Models that learn more tokens than they were trained with.

use std::collections::BTreeSet;

use checkpoint::{MoreRows, NewRow, TensorSource};

use crate::names::with_names;
use crate::{LoadError, VisionEncoderDecoderConfig};

/// A token that the vocabulary of a model gains while the model is loaded, such as the code of a new language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// The id: the number of tokens that there are, or that of a token that the model has and the tokenizer did not
    /// use.
    pub id: u32,
    /// The tokens whose mean it is at first, in the embeddings, the head and its bias.
    pub like: Vec<u32>,
}

impl NewToken {
    fn row(&self) -> NewRow {
        NewRow {
            row: self.id as usize,
            like: self.like.iter().map(|id| *id as usize).collect(),
        }
    }
}

/// Makes room for these tokens in a configuration, and adds them to the weights.
pub(crate) fn add<'s>(
    config: &mut VisionEncoderDecoderConfig,
    source: &'s dyn TensorSource,
    tokens: &[NewToken],
) -> Result<MoreRows<'s>, LoadError> {
    let mut vocab_size = config.decoder.vocab_size();
    for token in tokens {
        let id = token.id as usize;
        if id > vocab_size {
            return Err(LoadError::NewToken { id, vocab_size });
        }
        vocab_size = vocab_size.max(id + 1);
    }
    let [main, _] = config.decoder.weights();
    let tables = config.decoder.tied_paths();
    let tables = tables.map(|path| format!("{}{path}", main.module));
    let paths = tables.into_iter().chain(config.decoder.bias_path());
    // Also those that are not used, since the tables of a tied head are compared.
    let names: BTreeSet<String> = with_names(config, |names| {
        paths
            .flat_map(|path| names.names_in(&path, source))
            .collect()
    });
    let names: Vec<String> = match tokens {
        [] => Vec::new(),
        _ => names.into_iter().collect(),
    };
    config.decoder.set_vocab_size(vocab_size);
    let rows: Vec<NewRow> = tokens.iter().map(NewToken::row).collect();
    Ok(MoreRows::new(source, &names, &rows)?)
}
