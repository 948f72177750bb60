use serde_json::Value;

/// Gives the keys of a configuration that stand under an alias the names that a model reads. `names` are pairs of an alias
/// and a name.
///
/// Some of Hugging Face's configurations read common names, such as `hidden_size`, besides the model's own. If both are
/// there, the alias counts, as in transformers. A value that is not an object stays as it is.
///
/// Hugging Face: `attribute_map`.
pub fn resolve_aliases(config: &mut Value, names: &[(&str, &str)]) {
    let Value::Object(keys) = config else {
        return;
    };
    for &(alias, name) in names {
        if let Some(value) = keys.remove(alias) {
            keys.insert(name.to_owned(), value);
        }
    }
}
