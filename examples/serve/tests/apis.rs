//! OpenAI's and Ollama's APIs, as their documentation describes them. `clients.rs` uses their public clients.

mod common;

use std::sync::{Arc, Mutex, Weak};

use serde_json::{Value, json};

use crate::common::{HORSE, Server, base64, data_url};

static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The server that the tests of this program share. It ends with the last of them.
fn server() -> Arc<Server> {
    Server::shared(&SERVER, &["--log-level", "warn"])
}

const ENGLISH: &str = "horse on a white background";

fn chat(system: &str, more: Value) -> Value {
    let content = json!([
        {"type": "text", "text": "Describe this picture."},
        {"type": "image_url", "image_url": {"url": data_url(HORSE), "detail": "low"}},
    ]);
    let mut request = json!({
        "model": "pictograms",
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": content}],
    });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

#[test]
fn a_chat_about_a_picture_is_answered_with_its_caption() {
    let server = server();
    let answer = server.post_json(
        "/v1/chat/completions",
        &chat("Answer in English.", json!({"max_tokens": 300})),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["object"], "chat.completion");
    let choice = &json["choices"][0];
    assert_eq!(
        choice["message"],
        json!({"role": "assistant", "content": ENGLISH, "refusal": null})
    );
    assert_eq!(choice["finish_reason"], "stop");
    assert!(json["usage"]["completion_tokens"].as_u64() > Some(3));
}

#[test]
fn the_language_of_a_chat_comes_from_the_system_or_a_field() {
    let server = server();
    let text = |request: &Value| {
        let json = server.post_json("/v1/chat/completions", request).json();
        json["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let german = text(&chat("de", json!({})));
    assert!(german.contains("Pferd"), "{german}");
    assert_eq!(text(&chat("Please write in German!", json!({}))), german);
    assert_eq!(text(&chat("de", json!({"language": "en"}))), ENGLISH);
}

#[test]
fn choices_and_probabilities_of_tokens_are_answered() {
    let server = server();
    let more = json!({"n": 3, "logprobs": true, "top_logprobs": 2});
    let json = server
        .post_json("/v1/chat/completions", &chat("en", more))
        .json();
    let choices = json["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 3);
    let tokens = choices[0]["logprobs"]["content"].as_array().unwrap();
    let text: String = tokens
        .iter()
        .map(|one| one["token"].as_str().unwrap())
        .collect();
    assert_eq!(text.trim(), ENGLISH);
    assert!(
        tokens
            .iter()
            .all(|one| one["top_logprobs"].as_array().unwrap().len() == 2)
    );
    let cut = chat("en", json!({"max_tokens": 2}));
    let json = server.post_json("/v1/chat/completions", &cut).json();
    assert_eq!(json["choices"][0]["finish_reason"], "length", "{json}");
}

#[test]
fn a_chat_is_streamed() {
    let server = server();
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let events = server
        .post_json("/v1/chat/completions", &chat("en", more))
        .events();
    assert_eq!(events.last().unwrap().1, "[DONE]");
    let chunks: Vec<&Value> = events[..events.len() - 1]
        .iter()
        .map(|one| &one.1)
        .collect();
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["object"] == "chat.completion.chunk")
    );
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let deltas = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    assert_eq!(deltas.collect::<String>(), ENGLISH);
    let [end, usage] = chunks[chunks.len() - 2..] else {
        unreachable!()
    };
    assert_eq!(end["choices"][0]["finish_reason"], "stop");
    assert!(usage["choices"].as_array().unwrap().is_empty());
    assert!(usage["usage"]["total_tokens"].as_u64() > Some(3));
}

#[test]
fn the_model_is_in_openais_list() {
    let server = server();
    let json = server.get("/v1/models").json();
    assert_eq!(json["data"][0]["id"], "pictograms");
    assert_eq!(
        server.get("/v1/models/pictograms").json()["object"],
        "model"
    );
    assert_eq!(
        server.get("/v1/models/other").error(),
        (404, "model_not_found".into())
    );
}

#[test]
fn ollamas_generate_answers_lines_or_one_object() {
    let server = server();
    let request = json!({
        "model": "pictograms", "prompt": "What is this?", "images": [base64(HORSE)], "system": "English",
        "options": {"temperature": 0, "num_predict": 50, "num_ctx": 4096, "num_beams": 1}, "keep_alive": "5m",
    });
    let answer = server.post_json("/api/generate", &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let lines = answer.text();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let text: String = lines
        .iter()
        .map(|line| line["response"].as_str().unwrap())
        .collect();
    assert_eq!(text, ENGLISH);
    assert!(lines.len() > 2);
    let (end, parts) = lines.split_last().unwrap();
    assert!(parts.iter().all(|part| part["done"] == false));
    assert_eq!(
        (&end["done"], &end["done_reason"]),
        (&json!(true), &json!("stop"))
    );
    assert!(end["eval_count"].as_u64() > Some(3));

    let mut whole = request;
    whole["stream"] = false.into();
    // As `curl -d` sends it.
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    let json = server
        .send(
            "POST",
            "/api/generate",
            &headers,
            whole.to_string().as_bytes(),
        )
        .json();
    assert_eq!(json["response"], ENGLISH);
}

#[test]
fn ollamas_chat_answers_messages() {
    let server = server();
    let request = json!({
        "model": "pictograms:latest", "stream": false,
        "messages": [
            {"role": "system", "content": "Answer in French."},
            {"role": "user", "content": "What is this?", "images": [base64(HORSE)]},
        ],
    });
    let json = server.post_json("/api/chat", &request).json();
    assert_eq!(json["message"]["role"], "assistant");
    let text = json["message"]["content"].as_str().unwrap();
    assert!(text.contains("cheval"), "{text}");
}

#[test]
fn ollamas_lists_are_there_and_a_model_can_be_loaded() {
    let server = server();
    assert_eq!(
        server.get("/api/tags").json()["models"][0]["name"],
        "pictograms:latest"
    );
    let show = server
        .post_json("/api/show", &json!({"model": "pictograms"}))
        .json();
    assert_eq!(show["capabilities"], json!(["completion", "vision"]));
    assert!(server.get("/api/version").json()["version"].is_string());
    let loaded = server
        .post_json("/api/generate", &json!({"model": "pictograms"}))
        .json();
    assert_eq!(
        (&loaded["done"], &loaded["done_reason"]),
        (&json!(true), &json!("load"))
    );
}
