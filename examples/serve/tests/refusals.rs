//! What is refused, and how: each answer is in the form of the API that was asked, and the server lives on.

mod common;

use std::sync::{Arc, Mutex, Weak};

use serde_json::{Value, json};

use crate::common::{Answer, HORSE, Server, base64, data_url, form};

static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The server that the tests of this program share. It ends with the last of them.
fn server() -> Arc<Server> {
    Server::shared(
        &SERVER,
        &[
            "--log-level",
            "off",
            "--max-body-bytes",
            "200000",
            "--max-pixels",
            "90000",
        ],
    )
}

/// A request for captions with one more field.
fn with(name: &str, value: Value) -> Answer {
    let server = server();
    let mut request = json!({"images": [data_url(HORSE)], "languages": ["en"]});
    request[name] = value;
    server.post_json("/v1/captions", &request)
}

#[test]
fn fields_that_cannot_be_used_are_named() {
    let server = server();
    for (name, value, code) in [
        ("num_beams", json!(10_000), "over_limit"),
        ("num_beams", json!(0), "invalid_value"),
        ("num_beams", json!(-1), "invalid_value"),
        ("num_beams", json!("many"), "invalid_value"),
        ("num_return_sequences", json!(1_000_000), "over_limit"),
        ("max_length", json!(1_000_000), "over_limit"),
        ("max_new_tokens", json!(u64::MAX), "over_limit"),
        ("alternatives", json!(1000), "over_limit"),
        ("texts", json!(vec!["a"; 1000]), "over_limit"),
        ("texts", json!(["x".repeat(5000)]), "over_limit"),
        ("required", json!(["dog|"]), "invalid_value"),
        ("required", json!(vec!["a"; 100]), "over_limit"),
        ("prefix", json!("</s>"), "unwritable"),
        ("prefix", json!(7), "invalid_value"),
        ("languages", json!(["klingon"]), "unknown_language"),
        ("languages", json!({"en": 1}), "invalid_value"),
        ("attention", json!("yes"), "invalid_value"),
        ("stream", json!(1), "invalid_value"),
        ("temperature", json!("NaN"), "invalid_value"),
        ("top_p", json!(7), "invalid_value"),
        ("no_such_option", json!(1), "invalid_value"),
        ("images", json!(vec![data_url(b"x"); 17]), "over_limit"),
        ("images", json!(vec!["x"; 100_000 / 4]), "invalid_value"),
        ("images", json!([]), "invalid_value"),
        (
            "images",
            json!(["https://example.org/a.png"]),
            "address_not_fetched",
        ),
        ("images", json!(["data:image/png,abc"]), "invalid_data_url"),
        (
            "images",
            json!(["data:image/png;base64,***"]),
            "invalid_base64",
        ),
    ] {
        let answer = with(name, value.clone());
        let shown: String = value.to_string().chars().take(60).collect();
        assert_eq!(
            answer.error(),
            (400, code.into()),
            "{name}={shown}: {}",
            answer.text()
        );
    }
    let answer = with("model", json!("gpt-4o"));
    assert_eq!(answer.error(), (404, "model_not_found".into()));
    server.assert_lives();
}

#[test]
fn bodies_that_are_not_requests_are_refused() {
    let server = server();
    let json = "Content-Type: application/json";
    let deep = format!("{{\"images\":{}", "[".repeat(100_000));
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"n\":NaN}",
        "{\"n\":1,\"n\":2}",
        "\u{0}",
        &deep,
    ] {
        let answer = server.send("POST", "/v1/captions", &[json], body.as_bytes());
        assert_eq!(answer.status, 400, "{}", answer.text());
        answer.error();
    }
    let not_utf8 = server.send("POST", "/v1/captions", &[json], b"{\"prefix\":\"\xff\"}");
    assert_eq!(not_utf8.error(), (400, "invalid_json".into()));

    let (media_type, body) = form(&[("images", Some("a.png"), HORSE)]);
    let truncated = server.send(
        "POST",
        "/v1/captions",
        &[&media_type],
        &body[..body.len() / 2],
    );
    assert_eq!(truncated.error(), (400, "invalid_form".into()));
    let unbounded = ["Content-Type: multipart/form-data"];
    let answer = server.send("POST", "/v1/captions", &unbounded, &body);
    assert_eq!(answer.error(), (400, "invalid_form".into()));

    for media_type in ["Content-Type: text/plain", "X-Nothing: 1"] {
        for path in ["/v1/captions", "/v1/chat/completions"] {
            let answer = server.send("POST", path, &[media_type], b"{}");
            assert_eq!(answer.error(), (415, "unsupported_media_type".into()));
        }
    }
    server.assert_lives();
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let server = server();
    let json = "Content-Type: application/json";
    let announced = server.begin("POST", "/v1/captions", &[json], Some(usize::MAX / 4));
    let answer = Answer::read(announced);
    assert_eq!(answer.error(), (413, "request_too_large".into()));

    let chunks: String = (0..30)
        .map(|_| format!("2710\r\n{}\r\n", " ".repeat(10_000)))
        .collect();
    let mut stream = server.begin(
        "POST",
        "/v1/captions",
        &[json, "Transfer-Encoding: chunked"],
        None,
    );
    let _ = std::io::Write::write_all(&mut stream, format!("{chunks}0\r\n\r\n").as_bytes());
    assert_eq!(
        Answer::read(stream).error(),
        (413, "request_too_large".into())
    );

    // A PNG of 20,000 × 20,000 pixels, of which only the head is there.
    let mut large = HORSE.to_vec();
    large[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let answer = with("images", json!([data_url(&large)]));
    assert!([413, 422].contains(&answer.status), "{}", answer.text());
    answer.error();
    server.assert_lives();
}

#[test]
fn heads_without_end_and_nonsense_are_refused() {
    let server = server();
    use std::io::Write;
    let mut stream = server.connect();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\n{}",
        "X: y\r\n".repeat(40_000)
    );
    let _ = stream.write_all(head.as_bytes());
    assert!([400, 431].contains(&Answer::read(stream).status));
    let mut stream = server.connect();
    let _ = stream.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n");
    assert_eq!(Answer::read(stream).status, 400);
    server.assert_lives();
}

#[test]
fn paths_and_methods_that_are_not_there_are_refused_in_the_form_of_their_api() {
    let server = server();
    assert_eq!(
        server.get("/v1/embeddings").error(),
        (404, "not_found".into())
    );
    assert_eq!(
        server.get("/v1/captions").error(),
        (405, "method_not_allowed".into())
    );
    assert_eq!(server.get("/../../etc/passwd").status, 404);
    for (method, path, status) in [("POST", "/api/pull", 404), ("GET", "/api/chat", 405)] {
        let answer = server.send(method, path, &[], b"");
        assert_eq!(answer.status, status);
        assert!(answer.json()["error"].is_string(), "{}", answer.text());
    }
}

#[test]
fn pages_of_other_origins_and_other_names_of_this_machine_are_refused() {
    let server = server();
    for header in [
        "Origin: https://example.org",
        "Origin: null",
        "Host: evil.example",
    ] {
        let answer = server.send("GET", "/v1/model", &[header], b"");
        assert_eq!(answer.error(), (403, "forbidden".into()), "{header}");
    }
    let origin = format!("Origin: http://{}", server.address);
    let answer = server.send("GET", "/v1/model", &[&origin], b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn what_a_caption_model_cannot_do_is_refused_in_openais_form() {
    let server = server();
    let picture = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_url(HORSE)}}]}]);
    let chat = |name: &str, value: Value| {
        let mut request = json!({"model": "pictograms", "messages": picture});
        request[name] = value;
        server.post_json("/v1/chat/completions", &request)
    };
    for (name, value) in [
        (
            "tools",
            json!([{"type": "function", "function": {"name": "f"}}]),
        ),
        ("response_format", json!({"type": "json_object"})),
        ("messages", json!([{"role": "user", "content": "Hello"}])),
        ("messages", json!([])),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "input_audio"}]}]),
        ),
        ("presence_penalty", json!(1.5)),
    ] {
        let answer = chat(name, value);
        assert_eq!(answer.error(), (400, "unsupported".into()), "{name}");
        assert_eq!(answer.json()["error"]["param"], name);
    }
    let url = json!([{"role": "user", "content": [{"type": "image_url", "image_url": "http://a/b.png"}]}]);
    assert_eq!(
        chat("messages", url).error(),
        (400, "address_not_fetched".into())
    );
    assert_eq!(
        chat("model", json!("gpt-4o")).error(),
        (404, "model_not_found".into())
    );
    assert_eq!(
        chat("top_logprobs", json!(2)).error(),
        (400, "invalid_value".into())
    );
    assert_eq!(
        chat("max_tokens", json!(0)).error(),
        (400, "invalid_value".into())
    );
}

#[test]
fn what_a_caption_model_cannot_do_is_refused_in_ollamas_form() {
    let server = server();
    for (path, request, status) in [
        (
            "/api/generate",
            json!({"model": "pictograms", "prompt": "Why is the sky blue?"}),
            400,
        ),
        (
            "/api/generate",
            json!({"model": "llava", "prompt": "x"}),
            404,
        ),
        ("/api/generate", json!({"prompt": "x"}), 400),
        (
            "/api/generate",
            json!({"model": "pictograms", "images": [base64(HORSE)], "format": "json"}),
            400,
        ),
        (
            "/api/generate",
            json!({"model": "pictograms", "images": [base64(b"none")]}),
            422,
        ),
        (
            "/api/chat",
            json!({"model": "pictograms", "messages": [{"role": "user", "content": "Hello"}]}),
            400,
        ),
        ("/api/show", json!({"model": "llava"}), 404),
    ] {
        let answer = server.post_json(path, &request);
        assert_eq!(answer.status, status, "{path} {}", answer.text());
        let json = answer.json();
        assert!(
            json["error"].is_string() && json.as_object().unwrap().len() == 1,
            "{json}"
        );
    }
}
