//! `/v1/captions`, and what tells about it.

mod common;

use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use serde_json::{Value, json};

use crate::common::{HORSE, Server, data_url, form};

static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// The server that the tests of this program share. It ends with the last of them.
fn server() -> Arc<Server> {
    Server::shared(&SERVER, &["--log-level", "warn"])
}

const ENGLISH: &str = "horse on a white background";

#[test]
fn a_picture_is_captioned_in_all_languages_of_a_small_model() {
    let server = server();
    let answer = server.post_json("/v1/captions", &json!({"images": [data_url(HORSE)]}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["model"], "pictograms");
    let image = &json["images"][0];
    assert_eq!(image["image"], 0);
    assert!(image["width"].as_u64() > Some(0) && image["name"].is_null());
    let languages = image["languages"].as_array().unwrap();
    let codes: Vec<&str> = languages
        .iter()
        .map(|one| one["language"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["en_XX", "fr_XX", "de_DE", "es_XX"]);
    assert_eq!(languages[0]["captions"][0]["text"], ENGLISH);
    assert!(image.get("scores").is_none() && image.get("error").is_none());
}

#[test]
fn the_part_of_a_picture_that_the_model_sees_is_told() {
    // Cut to the square in its middle, as the embedded model does it.
    assert_shown(&server(), [1.0 / 6.0, 0.0, 5.0 / 6.0, 1.0]);
    let cases = [
        // Stretched to a square.
        (
            json!({"image_processor_type": "ViTImageProcessor", "size": {"height": 96, "width": 96}}),
            [0.0, 0.0, 1.0, 1.0],
        ),
        // Laid on a square page, of which it leaves a sixth free above and below.
        (
            json!({
                "image_processor_type": "DonutImageProcessor", "size": {"height": 96, "width": 96},
                "do_thumbnail": true, "do_pad": true, "do_align_long_axis": false,
            }),
            [0.0, -0.25, 1.0, 1.25],
        ),
    ];
    for (processor, expected) in cases {
        let folder = model_with_processor(&processor);
        let model = folder.path().to_str().unwrap();
        let server = Server::start(&["--log-level", "warn", "--model", model]);
        assert_shown(&server, expected);
    }
}

/// Checks what is told of a picture of 30 × 20 pixels: left, top, right and bottom of what is shown.
fn assert_shown(server: &Server, expected: [f64; 4]) {
    let mut picture = b"P6 30 20 255\n".to_vec();
    picture.resize(picture.len() + 30 * 20 * 3, 200);
    let request = json!({"images": [data_url(&picture)], "languages": ["en"]});
    let answer = server.post_json("/v1/captions", &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let image = &answer.json()["images"][0];
    assert_eq!([&image["width"], &image["height"]], [30, 20]);
    assert!(image["shown"].get("turned").is_none());
    for (side, expected) in ["left", "top", "right", "bottom"].iter().zip(expected) {
        let shown = image["shown"][side].as_f64().unwrap();
        assert!((shown - expected).abs() < 0.02, "{side}: {shown}");
    }
}

/// The folder of the embedded model, with other preprocessing.
fn model_with_processor(processor: &Value) -> tempfile::TempDir {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captioning/model");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(model).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let path = folder.path().join("preprocessor_config.json");
    std::fs::write(path, processor.to_string()).unwrap();
    folder
}

#[test]
fn options_alternatives_attention_and_scores_are_answered() {
    let server = server();
    let answer = server.post_json(
        "/v1/captions",
        &json!({
            "images": [data_url(HORSE)],
            "languages": ["german", "en"],
            "num_beams": 3, "n": 2, "max_length": 20, "length_penalty": 0.5,
            "alternatives": 2, "attention": true,
            "texts": [ENGLISH, "a bee"],
        }),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let image = &json["images"][0];
    assert_eq!(
        image["languages"][0]["language"], "de_DE",
        "in the order of the request"
    );
    let captions = image["languages"][1]["captions"].as_array().unwrap();
    assert_eq!(captions.len(), 2);
    let best = &captions[0];
    assert_eq!(best["text"], ENGLISH);
    let tokens = best["tokens"].as_array().unwrap();
    // The code of the language, which comes first, has no alternative.
    assert!(
        tokens[1..]
            .iter()
            .all(|one| one["alternatives"].as_array().unwrap().len() == 2)
    );
    let words = best["words"].as_array().unwrap();
    assert_eq!(words[0]["word"], "horse");
    let (start, end) = (
        words[0]["start"].as_u64().unwrap(),
        words[0]["end"].as_u64().unwrap(),
    );
    let written = tokens[start as usize..end as usize].iter();
    let written: String = written.map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(written.trim(), "horse");
    let patches = words[0]["patches"].as_array().unwrap();
    let sides = [
        words[0]["rows"].as_u64().unwrap(),
        words[0]["columns"].as_u64().unwrap(),
    ];
    assert_eq!(patches.len() as u64, sides[0] * sides[1]);
    let scores = image["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 4);
    assert_eq!(
        (&scores[2]["language"], &scores[2]["text"]),
        (&json!("en_XX"), &json!(ENGLISH))
    );
    assert!(scores[2]["score"].as_f64() > scores[3]["score"].as_f64());
}

#[test]
fn words_and_prefixes_are_kept() {
    let server = server();
    let answer = server.post_json(
        "/v1/captions",
        &json!({
            "images": [data_url(HORSE)], "language": "en", "num_beams": 4,
            "prefix": "a picture of", "required": ["horse|horses"], "forbidden": ["white*"],
        }),
    );
    let json = answer.json();
    let text = json["images"][0]["languages"][0]["captions"][0]["text"]
        .as_str()
        .unwrap();
    assert!(
        text.starts_with("a picture of") && !text.contains("white"),
        "{text}"
    );
}

#[test]
fn scores_can_be_had_without_captions() {
    let server = server();
    let request = json!({"images": [data_url(HORSE)], "languages": "en", "captions": false, "texts": "a bee"});
    let answer = server.post_json("/v1/captions", &request);
    let json = answer.json();
    assert!(json["images"][0].get("languages").is_none(), "{json}");
    assert_eq!(json["images"][0]["scores"][0]["text"], "a bee");
}

#[test]
fn a_form_is_answered_as_json_is() {
    let server = server();
    let (media_type, body) = form(&[
        ("images", Some("horse.png"), HORSE),
        ("image", Some("../../etc/passwd"), HORSE),
        ("languages", None, b"en"),
        ("languages[]", None, b"de"),
        ("num_beams", None, b"2"),
        ("num_return_sequences", None, b"2"),
    ]);
    let answer = server.send("POST", "/v1/captions", &[&media_type], &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let images = json["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    assert_eq!(images[0]["name"], "horse.png");
    assert_eq!(
        images[1]["name"], "../../etc/passwd",
        "a name is only repeated"
    );
    for image in images {
        assert_eq!(image["languages"][0]["captions"][0]["text"], ENGLISH);
        assert_eq!(
            image["languages"][1]["captions"].as_array().unwrap().len(),
            2
        );
    }
}

#[test]
fn a_picture_that_fails_fails_alone() {
    let server = server();
    let images = json!([
        data_url(b"no picture"),
        data_url(HORSE),
        data_url(&HORSE[..300])
    ]);
    let request = json!({"images": images, "languages": ["en"]});
    let answer = server.post_json("/v1/captions", &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["images"][0]["error"]["code"], "not_an_image");
    assert_eq!(
        json["images"][1]["languages"][0]["captions"][0]["text"],
        ENGLISH
    );
    assert_eq!(json["images"][2]["error"]["code"], "damaged_image");

    let answer = server.post_json(
        "/v1/captions",
        &json!({"images": [data_url(b"no picture")]}),
    );
    assert_eq!(answer.error(), (422, "not_an_image".into()));
}

#[test]
fn a_stream_has_drafts_then_captions_and_then_its_end() {
    let server = server();
    let request = json!({
        "images": [data_url(HORSE), data_url(b"none")], "languages": ["en", "de"], "stream": true,
        "num_beams": 2, "texts": ["a bee"],
    });
    let events = server.post_json("/v1/captions", &request).events();
    let of = |name: &str| -> Vec<_> { events.iter().filter(|one| one.0 == name).collect() };
    assert_eq!(of("image").len(), 1);
    assert!(of("draft").len() > 2);
    for (_, draft) in of("draft") {
        let (settled, all) = (
            draft["settled"].as_str().unwrap(),
            draft["draft"].as_str().unwrap(),
        );
        assert!(all.starts_with(settled));
    }
    let captions = of("captions");
    assert_eq!(captions.len(), 2);
    let english = captions
        .iter()
        .find(|(_, one)| one["language"] == "en_XX")
        .unwrap();
    assert_eq!(english.1["captions"][0]["text"], ENGLISH);
    assert_eq!(of("scores").len(), 2);
    assert_eq!(of("error")[0].1["error"]["code"], "not_an_image");
    assert_eq!(events.last().unwrap(), &("done".to_owned(), json!({})));
}

#[test]
fn a_client_that_accepts_events_gets_them() {
    let server = server();
    let body = json!({"images": [data_url(HORSE)], "languages": ["en"]}).to_string();
    let headers = [
        "Content-Type: application/json",
        "Accept: text/event-stream",
    ];
    let events = server
        .send("POST", "/v1/captions", &headers, body.as_bytes())
        .events();
    assert_eq!(events.last().unwrap().0, "done");
}

#[test]
fn the_language_comes_from_accept_language_if_no_field_names_one() {
    let server = server();
    let body = json!({"images": [data_url(HORSE)], "num_beams": 1}).to_string();
    for (header, expected) in [
        ("Accept-Language: de-CH, en;q=0.9", "de_DE"),
        ("Accept-Language: ja, en;q=0.5, fr-FR;q=0.8", "fr_XX"),
    ] {
        let headers = ["Content-Type: application/json", header];
        let json = server
            .send("POST", "/v1/captions", &headers, body.as_bytes())
            .json();
        let languages = json["images"][0]["languages"].as_array().unwrap();
        assert_eq!(languages.len(), 1);
        assert_eq!(languages[0]["language"], expected);
    }
}

#[test]
fn the_model_says_what_it_is_and_what_may_be_asked() {
    let server = server();
    let json = server.get("/v1/model").json();
    assert_eq!(json["id"], "pictograms");
    assert_eq!(
        json["languages"][0],
        json!({"code": "en_XX", "short": "en", "name": "English", "default": true})
    );
    assert_eq!(json["defaults"]["num_beams"], 4);
    assert_eq!(json["limits"]["images"], 16);
    assert!(
        json["about"]
            .as_str()
            .unwrap()
            .contains("not for photographs")
    );
    assert_eq!(json["patches"], json!([6, 6]));
    assert!(json["max_length"].as_u64() >= json["defaults"]["max_length"].as_u64());
}

#[test]
fn health_metrics_and_the_description_are_there() {
    let server = server();
    assert_eq!(server.get("/health").text(), "ok\n");
    assert_eq!(server.get("/ready").text(), "ready\n");
    server.post_json(
        "/v1/captions",
        &json!({"images": [data_url(HORSE)], "languages": ["en"]}),
    );
    assert!(server.metric("captions_tokens_total") > 0.0);
    assert!(server.metric("captions_request_seconds_count") > 0.0);
    assert!(server.metric("captions_connections") >= 1.0);
    let description = server.get("/openapi.json").json();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.contains_key("/v1/captions") && paths.contains_key("/v1/model"));
    let page = server.get("/openapi");
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    assert!(
        !page.text().contains("https://"),
        "nothing comes from elsewhere"
    );
}
