//! What Ollama's clients ask for.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::app::App;
use crate::failure::Failure;
use crate::fields::{Fields, List, Object};
use crate::openai::sampling;
use crate::pictures::Picture;

/// A request to generate or to chat.
pub(super) struct Asked {
    pub(super) model: Option<String>,
    /// The system's text.
    pub(super) system: Option<String>,
    pub(super) picture: Option<Picture>,
    pub(super) stream: bool,
    /// Whether it has no prompt, no messages and no picture.
    pub(super) is_empty: bool,
    pub(super) fields: Fields,
}

/// What has no meaning here, and does no harm.
const IGNORED: [&str; 7] = [
    "keep_alive",
    "template",
    "raw",
    "context",
    "truncate",
    "shift",
    "think",
];

/// What a model that captions pictures can't do.
const UNSUPPORTED: [&str; 5] = ["tools", "format", "suffix", "logprobs", "top_logprobs"];

/// Options about Ollama's own way of running models.
const IGNORED_OPTIONS: [&str; 22] = [
    "num_ctx",
    "num_keep",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "numa",
    "low_vram",
    "vocab_only",
    "use_mmap",
    "use_mlock",
    "f16_kv",
    "logits_all",
    "embedding_only",
    "repeat_last_n",
    "penalize_newline",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "tfs_z",
    "presence_penalty",
    "frequency_penalty",
];

#[derive(Deserialize)]
struct Message<'a> {
    role: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(borrow, default)]
    images: Option<&'a RawValue>,
}

/// Reads a request to `/api/generate`.
pub(super) fn generate(mut object: Object<'_>) -> Result<Asked, Failure> {
    let images: Option<List<String>> = object.take("images")?;
    let images = images.map(|list| list.0).unwrap_or_default();
    let prompt: Option<String> = object.take("prompt")?;
    let system: Option<String> = object.take("system")?;
    let is_empty = images.is_empty() && prompt.unwrap_or_default().is_empty();
    asked(object, system, images, is_empty)
}

/// Reads a request to `/api/chat`.
pub(super) fn chat(mut object: Object<'_>) -> Result<Asked, Failure> {
    let messages: Option<List<Message<'_>>> = object.take("messages")?;
    let messages = messages.map(|list| list.0).unwrap_or_default();
    let is_empty = messages.is_empty();
    let (mut system, mut images) = (String::new(), Vec::new());
    for message in messages {
        if message.role == "system" {
            system.push_str(&message.content.unwrap_or_default());
            system.push('\n');
        }
        let of_message = message
            .images
            .map(|images| serde_json::from_str(images.get()));
        let of_message: Option<Option<List<String>>> = of_message
            .transpose()
            .map_err(|error| Failure::field("images", format!("images: {error}")))?;
        let of_message = of_message.flatten().map(|list| list.0).unwrap_or_default();
        if !of_message.is_empty() {
            images = of_message;
        }
    }
    asked(object, Some(system), images, is_empty)
}

/// Reads a request to `/api/show`. Old clients call the model `name`.
pub(super) fn show(object: Object<'_>) -> Result<Option<String>, Failure> {
    let mut fields = object.short()?;
    let model: Option<String> = fields.take("model")?;
    match model {
        Some(model) => Ok(Some(model)),
        None => fields.take("name"),
    }
}

fn asked(
    object: Object<'_>,
    system: Option<String>,
    mut images: Vec<String>,
    is_empty: bool,
) -> Result<Asked, Failure> {
    let mut fields = object.short()?;
    if images.len() > 1 {
        return Err(Failure::unsupported(
            "images",
            "there are several pictures, but this model captions one at a time; POST /v1/captions takes several",
        ));
    }
    let picture = images.pop().map(|text| Picture::from_text(text, None));
    Ok(Asked {
        model: fields.take("model")?,
        system: system.filter(|system| !system.trim().is_empty()),
        picture: picture.transpose()?,
        // Ollama streams unless it is told not to.
        stream: fields.take("stream")?.unwrap_or(true),
        is_empty,
        fields,
    })
}

/// Replaces Ollama's fields by options of generation.
pub(super) fn translate(app: &App, fields: &mut Fields) -> Result<(), Failure> {
    fields.ignore(&IGNORED);
    for name in UNSUPPORTED {
        let value: Option<Value> = fields.take(name)?;
        let asks_for_nothing = match &value {
            None | Some(Value::Null | Value::Bool(false)) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            _ => false,
        };
        if !asks_for_nothing {
            let message = format!("{name} can't be used with a model that captions pictures");
            return Err(Failure::unsupported(name, message));
        }
    }
    let options: Option<Map<String, Value>> = fields.take("options")?;
    for (name, value) in options.unwrap_or_default() {
        fields.set(&name, value);
    }
    fields.ignore(&IGNORED_OPTIONS);
    // The language code is one more token; a number below 0 means as many as possible.
    if let Some(tokens) = fields.take::<i64>("num_predict")?
        && let Ok(tokens @ 1..) = usize::try_from(tokens)
    {
        let longest = app.model.max_length.saturating_sub(1).max(1);
        fields.set("max_new_tokens", tokens.saturating_add(1).min(longest));
    }
    if let Some(penalty) = fields.take::<f64>("repeat_penalty")? {
        fields.set("repetition_penalty", penalty);
    }
    let stop = fields.take_texts("stop")?;
    if !stop.is_empty() {
        fields.set("stop_strings", stop);
    }
    // Ollama's seed of -1 or 0 stands for none.
    if let Some(seed) = fields.take::<i64>("seed")?
        && seed > 0
    {
        fields.set("seed", seed);
    }
    sampling(fields)
}
