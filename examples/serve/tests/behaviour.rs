//! Clients that leave, come in crowds, are slow or have keys; and how the server stops.

mod common;

use std::io::{Read, Write};
use std::thread;

use serde_json::{Value, json};

use crate::common::{Answer, HORSE, Server, data_url};

const JSON: &str = "Content-Type: application/json";

/// A request that takes long: many captions, one language after the other.
fn long() -> Value {
    json!({
        "images": [data_url(HORSE)], "languages": ["en", "de", "fr", "es"], "stream": true,
        "num_beams": 16, "min_length": 60, "max_length": 64, "attention": true, "n": 16,
    })
}

/// Sends a long request, and waits until the server works on it.
fn occupy(server: &Server) -> std::net::TcpStream {
    let body = long().to_string();
    let mut stream = server.begin("POST", "/v1/captions", &[JSON], Some(body.len()));
    stream.write_all(body.as_bytes()).unwrap();
    server.wait_for("the work on a long request", |server| {
        server.metric("captions_running") == 1.0
    });
    stream
}

#[test]
fn a_client_that_hangs_up_is_cancelled() {
    let server = Server::start(&["--log-level", "warn"]);
    let mut running = occupy(&server);
    let waiting = server.begin(
        "POST",
        "/v1/captions",
        &[JSON],
        Some(long().to_string().len()),
    );
    { &waiting }
        .write_all(long().to_string().as_bytes())
        .unwrap();
    server.wait_for("a place in the queue", |server| {
        server.metric("captions_queue_length") == 1.0
    });
    drop(waiting);
    let mut first = [0; 100];
    running.read_exact(&mut first).unwrap();
    drop(running);
    server.wait_for("the end of both", |server| {
        server.metric("captions_requests_total{outcome=\"cancelled\"}") == 2.0
    });
    assert_eq!(server.metric("captions_running"), 0.0);
    assert_eq!(
        server.metric("captions_requests_total{outcome=\"finished\"}"),
        0.0
    );
}

#[test]
fn a_full_queue_is_503_with_a_time_to_come_back() {
    let server = Server::start(&["--log-level", "warn", "--queue", "1"]);
    let running = occupy(&server);
    let short = json!({"images": [data_url(HORSE)], "languages": ["en"], "num_beams": 1});
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.post_json("/v1/captions", &short));
        server.wait_for("a place in the queue", |server| {
            server.metric("captions_queue_length") == 1.0
        });
        let refused = server.post_json("/v1/captions", &short);
        assert_eq!(refused.error(), (503, "queue_full".into()));
        let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        let ollama = json!({"model": "pictograms", "images": [common::base64(HORSE)]});
        let refused = server.post_json("/api/generate", &ollama);
        assert_eq!(refused.status, 503);
        assert!(refused.header("retry-after").is_some() && refused.json()["error"].is_string());
        drop(running);
        let answer = waiting.join().unwrap();
        assert_eq!(
            answer.status,
            200,
            "what was accepted is answered: {}",
            answer.text()
        );
    });
}

#[test]
fn the_pictures_of_one_request_wait_for_each_other_when_the_queue_is_short() {
    let server = Server::start(&["--log-level", "warn", "--queue", "1"]);
    let request = json!({"images": vec![data_url(HORSE); 8], "languages": ["en"], "num_beams": 1});
    let json = server.post_json("/v1/captions", &request).json();
    let images = json["images"].as_array().unwrap();
    assert_eq!(images.len(), 8);
    assert!(
        images
            .iter()
            .all(|one| one["languages"][0]["captions"].is_array()),
        "{json}"
    );
}

#[test]
fn a_picture_that_takes_too_long_fails() {
    let server = Server::start(&["--log-level", "warn", "--timeout", "1"]);
    let running = occupy(&server);
    let short = json!({"images": [data_url(HORSE)], "languages": ["en"]});
    // Whether it is late or not depends on the machine; either way there is an answer.
    let answer = server.post_json("/v1/captions", &short);
    assert!(answer.status == 200 || answer.error() == (503, "timeout".into()));
    let events = Answer::read(running).events();
    assert_eq!(events.last().unwrap().0, "done");
}

#[test]
fn slow_clients_lose_their_connections() {
    let server = Server::start(&[
        "--log-level",
        "warn",
        "--head-timeout",
        "1",
        "--body-timeout",
        "1",
    ]);
    let mut slow_head = server.connect();
    slow_head
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .unwrap();
    let mut rest = Vec::new();
    let _ = slow_head.read_to_end(&mut rest);
    let mut slow_body = server.begin("POST", "/v1/captions", &[JSON], Some(100));
    slow_body.write_all(b"{\"images\"").unwrap();
    assert_eq!(
        Answer::read(slow_body).error(),
        (408, "body_timeout".into())
    );
    server.assert_lives();
}

#[test]
fn a_client_that_reads_nothing_loses_its_connection() {
    let server = Server::start(&[
        "--log-level",
        "warn",
        "--connections",
        "1",
        "--body-timeout",
        "1",
    ]);
    // Far more answers than the buffers of both sides hold.
    let request = format!(
        "GET /openapi.json HTTP/1.1\r\nHost: {}\r\n\r\n",
        server.address
    );
    let mut deaf = server.connect();
    let sent = request.repeat(20_000);
    let sender = deaf.try_clone().unwrap();
    thread::scope(|scope| {
        // It ends with an error as soon as the server has closed the connection.
        scope.spawn(|| { &sender }.write_all(sent.as_bytes()));
        let mut first = [0; 100];
        deaf.read_exact(&mut first).unwrap();
        // Only one connection is allowed, so this one is answered after the other is closed.
        server.assert_lives();
    });
}

#[test]
fn a_killed_server_leaves_nothing_that_keeps_the_next_from_its_port() {
    let first = Server::start(&["--log-level", "warn"]);
    let running = occupy(&first);
    let port = first.address.rsplit(':').next().unwrap().to_owned();
    first.signal("KILL");
    assert_eq!(first.exit_code(), None);
    let mut rest = Vec::new();
    let _ = { &running }.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("event: done"));
    let second = Server::start(&["--log-level", "warn", "--port", &port]);
    let short = json!({"images": [data_url(HORSE)], "languages": ["en"]});
    assert_eq!(second.post_json("/v1/captions", &short).status, 200);
}

#[test]
fn a_crowd_that_hangs_up_half_way_leaves_nothing_behind() {
    let server = Server::start(&["--log-level", "warn", "--queue", "16"]);
    let body = long().to_string();
    for crowd in 0..10 {
        let clients: Vec<_> = (0..100)
            .map(|client| {
                let mut stream = server.begin("POST", "/v1/captions", &[JSON], Some(body.len()));
                // Some leave within the body, others while they wait or are answered.
                let part = [body.len(), body.len() / 2, body.len() - 1][(crowd + client) % 3];
                let _ = stream.write_all(&body.as_bytes()[..part]);
                stream
            })
            .collect();
        drop(clients);
    }
    server.wait_for("the end of all", |server| {
        server.metric("captions_running") == 0.0
            && server.metric("captions_queue_length") == 0.0
            && server.metric("captions_connections") == 1.0
    });
    let short = json!({"images": [data_url(HORSE)], "languages": ["en"]});
    assert_eq!(server.post_json("/v1/captions", &short).status, 200);
}

#[test]
fn more_connections_than_allowed_wait_for_one_to_close() {
    let server = Server::start(&[
        "--log-level",
        "warn",
        "--connections",
        "1",
        "--head-timeout",
        "600",
    ]);
    let idle = server.connect();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.get("/health").status);
        thread::sleep(std::time::Duration::from_millis(200));
        assert!(!waiting.is_finished());
        drop(idle);
        assert_eq!(waiting.join().unwrap(), 200);
    });
}

#[test]
fn keys_are_asked_for_where_there_is_something_to_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(
        &path,
        "# of a test\n\nfirst-key-of-this-server\nsecond-key-of-this-server\n",
    )
    .unwrap();
    let server = Server::start(&["--log-level", "warn", "--keys", path.to_str().unwrap()]);
    for path in ["/v1/model", "/v1/models", "/metrics"] {
        let answer = server.get(path);
        assert_eq!(answer.error(), (401, "invalid_api_key".into()));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        for (key, status) in [
            ("Bearer first-key-of-this-server", 200),
            ("bearer second-key-of-this-server", 200),
            ("Bearer second-key-of-this-serve", 401),
            ("Bearer ", 401),
            ("Basic first-key-of-this-server", 401),
        ] {
            let header = format!("Authorization: {key}");
            assert_eq!(
                server.send("GET", path, &[&header], b"").status,
                status,
                "{key}"
            );
        }
    }
    let ollama = server.get("/api/tags");
    assert_eq!(ollama.status, 401);
    assert!(ollama.json()["error"].is_string());
    for path in ["/health", "/ready", "/openapi.json", "/openapi"] {
        assert_eq!(server.get(path).status, 200);
    }
}

#[test]
fn pages_of_named_origins_may_use_the_server() {
    let server = Server::start(&[
        "--log-level",
        "warn",
        "--allow-origin",
        "https://example.org",
    ]);
    let origin = "Origin: https://example.org";
    let answer = server.send("GET", "/v1/model", &[origin], b"");
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://example.org")
    );
    let ask = [
        origin,
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type",
    ];
    let answer = server.send("OPTIONS", "/v1/captions", &ask, b"");
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("access-control-allow-headers")
            .unwrap()
            .contains("content-type")
    );
    let other = server.send("GET", "/v1/model", &["Origin: https://example.com"], b"");
    assert_eq!(other.status, 403);
}

#[test]
fn a_server_that_is_asked_to_stop_finishes_what_it_has_accepted() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(&["--log-level", "warn"]);
        let mut body = long();
        body["min_length"] = 0.into();
        let body = body.to_string();
        let mut running = server.begin("POST", "/v1/captions", &[JSON], Some(body.len()));
        running.write_all(body.as_bytes()).unwrap();
        let mut first = [0; 20];
        running.read_exact(&mut first).unwrap();
        server.signal(signal);
        let mut rest = String::new();
        running.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("event: done"), "{rest}");
        assert_eq!(server.exit_code(), Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let server = Server::start(&["--log-level", "warn"]);
    let running = occupy(&server);
    server.signal("TERM");
    server.signal("INT");
    assert_eq!(server.exit_code(), Some(1));
    drop(running);
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_does_not_end_the_server() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let server = Server::start_with_log(&[], full.into());
    for _ in 0..3 {
        server.assert_lives();
    }
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn the_log_has_a_line_of_json_for_each_request_and_nothing_of_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    let server = Server::start_with_log(&["--log", "json"], log.into());
    let request = json!({"images": [data_url(HORSE)], "prefix": "a secret", "languages": ["en"]});
    assert_eq!(
        server.post_json("/v1/captions?key=secret", &request).status,
        200
    );
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(!log.contains("secret"), "{log}");
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = lines
        .iter()
        .find(|line| line["message"] == "request")
        .unwrap();
    assert_eq!(
        (&line["status"], &line["method"]),
        (&json!(200), &json!("POST"))
    );
}

#[test]
fn arguments_that_cannot_be_used_end_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short");
    std::fs::write(&short, "too-short\n").unwrap();
    for arguments in [
        &["--keys", "/nowhere/keys"][..],
        &["--keys", short.to_str().unwrap()],
        &["--allow-origin", "example.org"],
        &["--model", "/nowhere"],
        &["--host", "203.0.113.7"],
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_serve"))
            .args(["--port", "0"])
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("serve: "));
    }
}
