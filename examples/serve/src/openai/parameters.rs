//! OpenAI's parameters as options of generation.

use serde_json::Value;

use crate::app::App;
use crate::failure::Failure;
use crate::fields::Fields;

/// What concerns the answer's form.
pub(super) struct Parameters {
    pub(super) stream: bool,
    /// Whether a stream ends with a chunk about the tokens that were used.
    pub(super) include_usage: bool,
    pub(super) logprobs: bool,
}

/// What has no meaning here, and does no harm.
const IGNORED: [&str; 12] = [
    "user",
    "store",
    "metadata",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "parallel_tool_calls",
    "reasoning_effort",
    "verbosity",
    "modalities",
    "tool_choice",
    "prediction",
];

/// What a model that captions pictures can't do, unless it is asked for with a value that asks for nothing.
const UNSUPPORTED: [&str; 8] = [
    "tools",
    "functions",
    "function_call",
    "response_format",
    "audio",
    "web_search_options",
    "logit_bias",
    "frequency_penalty",
];

/// Replaces OpenAI's parameters by options of generation. Those by Hugging Face's names may stand beside them.
pub(super) fn translate(app: &App, fields: &mut Fields) -> Result<Parameters, Failure> {
    fields.ignore(&IGNORED);
    for name in UNSUPPORTED.into_iter().chain(["presence_penalty"]) {
        let value: Option<Value> = fields.take(name)?;
        if value.as_ref().is_some_and(|value| !asks_for_nothing(value)) {
            let message = format!("{name} can't be used with a model that captions pictures");
            return Err(Failure::unsupported(name, message));
        }
    }
    let stream = fields.take("stream")?.unwrap_or(false);
    let stream_options: Option<Value> = fields.take("stream_options")?;
    let include_usage = stream_options.is_some_and(|options| options["include_usage"] == true);
    let logprobs = fields.take("logprobs")?.unwrap_or(false);
    if let Some(top) = fields.take::<usize>("top_logprobs")? {
        if !logprobs {
            let message = "top_logprobs is about logprobs, which are not asked for";
            return Err(Failure::field("top_logprobs", message));
        }
        fields.set("alternatives", top);
    }
    length(app, fields)?;
    let stop = fields.take_texts("stop")?;
    if !stop.is_empty() {
        fields.set("stop_strings", stop);
    }
    sampling(fields)?;
    // Only the first of several can be shown while it is written.
    let n = fields.take::<usize>("n")?.unwrap_or(1);
    if n != 1 {
        fields.set("num_return_sequences", n);
    }
    fields.set("stream", stream && n == 1);
    Ok(Parameters {
        stream,
        include_usage,
        logprobs,
    })
}

/// `max_tokens` counts text; the language code is one more. Clients of models that write pages ask for more than a
/// caption can have.
fn length(app: &App, fields: &mut Fields) -> Result<(), Failure> {
    let mut most = None;
    for name in ["max_tokens", "max_completion_tokens"] {
        if let Some(tokens) = fields.take::<usize>(name)? {
            if tokens == 0 {
                return Err(Failure::field(
                    name,
                    format!("{name} is 0, but a caption has at least one token"),
                ));
            }
            most = Some(tokens);
        }
    }
    if let Some(most) = most {
        // The start token counts for max_length.
        let longest = app.model.max_length.saturating_sub(1).max(1);
        fields.set("max_new_tokens", most.saturating_add(1).min(longest));
    }
    Ok(())
}

/// A temperature above 0 asks for a sample. Otherwise the search is the model's own, which does not sample.
pub(crate) fn sampling(fields: &mut Fields) -> Result<(), Failure> {
    let temperature: Option<f64> = fields.take("temperature")?;
    match temperature {
        Some(temperature) if temperature > 0.0 => {
            fields.set("temperature", temperature);
            fields.set("do_sample", true);
            if !fields.has("num_beams") {
                fields.set("num_beams", 1);
            }
        }
        Some(temperature) if temperature < 0.0 => {
            return Err(Failure::field("temperature", "temperature is below 0"));
        }
        // Shares of the probability are about samples.
        _ if !fields.has("do_sample") => fields.ignore(&["top_p", "top_k"]),
        _ => {}
    }
    Ok(())
}

fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "none",
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => {
            object.is_empty() || object.get("type").is_some_and(|one| one == "text")
        }
        Value::Bool(true) => false,
    }
}
