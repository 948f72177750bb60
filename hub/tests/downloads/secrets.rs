//! Users, passwords and tokens, which no message has.

use std::error::Error;

use hub::{Hub, HubError};

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::server::Reply;
use crate::test_hub::{Fault, Host, TestHub, needed};

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

/// A client with a user, a password and a token.
fn client(hub: &TestHub) -> Hub {
    let endpoint = hub.endpoint().replace("http://", "http://user:s3cret@");
    let client = hub.client().with_endpoint(&endpoint).unwrap();
    client.with_token("hf_s3cret").unwrap()
}

fn assert_silent(error: &HubError) {
    let mut texts = vec![
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
    ];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    for text in texts {
        assert!(
            !text.contains("s3cret") && !text.contains("user:"),
            "{text}"
        );
        assert!(!text.contains("signature="), "{text}");
    }
}

#[test]
fn user_and_password_of_the_endpoint_are_sent_to_it_and_to_no_other_server() {
    let hub = hub();
    hub.rename("old/name", "owner/name");
    let model = "old/name".parse().unwrap();
    let folder = client(&hub).fetch(&model, needed, &mut |_| ()).unwrap();
    assert_holds(&folder, &checkpoint(1), &NEEDED);
    for (host, request) in hub.take_log() {
        let authorization = request.headers.get("authorization").map(String::as_str);
        let expected = (host == Host::Hub).then_some("Basic dXNlcjpzM2NyZXQ=");
        assert_eq!(authorization, expected, "{request:?}");
    }
}

#[test]
fn a_redirect_to_the_same_server_keeps_them() {
    let hub = hub();
    let location = format!("{}/api/models/owner/name/revision/main", hub.endpoint());
    let redirect = Reply::new(302, "").with_header("Location", location);
    hub.fail(Host::Hub, "GET", "/api/", [Fault::Answer(redirect)]);
    let model = "owner/name".parse().unwrap();
    client(&hub).fetch(&model, needed, &mut |_| ()).unwrap();
    let log = hub.take_log();
    assert!(log[1].1.headers["authorization"].starts_with("Basic "));
}

#[test]
fn no_error_repeats_them() {
    let redirect =
        |location: &str| Fault::Answer(Reply::new(302, "").with_header("Location", location));
    let answer = |status, body: &str| Fault::Answer(Reply::new(status, body));
    let faults = [
        ("/api/", Fault::NoAnswer),
        ("/api/", Fault::status(500, "")),
        ("/api/", Fault::status(404, "")),
        ("/api/", Fault::status(403, "")),
        ("/api/", Fault::status(418, "")),
        ("/api/", answer(200, "<html>")),
        ("/api/", answer(200, "[]")),
        ("/api/", redirect("http://user:s3cret@a b")),
        (
            "/api/",
            redirect("ftp://user:s3cret@host/?signature=s3cret"),
        ),
        (
            "/api/",
            redirect("http://user:s3cret@127.0.0.1:1/?signature=s3cret"),
        ),
        (
            "/api/",
            redirect("//user:s3cret@127.0.0.1:1/?signature=s3cret"),
        ),
        ("/api/", redirect("http://user:s3/cret@127.0.0.1:1/")),
        ("/api/", redirect("/api/models/owner/name/revision/main")),
        ("config.json", Fault::NoAnswer),
        ("config.json", Fault::status(418, "")),
        ("config.json", Fault::Cut(2)),
        ("config.json", Fault::Header("ETag", "../../x")),
        (
            "model.safetensors",
            redirect("http://user:s3cret@127.0.0.1:1/?signature=s3cret"),
        ),
    ];
    for (target, fault) in faults {
        for method in ["GET", "HEAD"] {
            let hub = hub();
            hub.fail(Host::Hub, method, target, vec![fault.clone(); 20]);
            let model = "owner/name".parse().unwrap();
            if let Err(error) = client(&hub).fetch(&model, needed, &mut |_| ()) {
                assert_silent(&error);
            }
        }
    }
    let hub = hub();
    hub.fail(Host::Storage, "GET", "model", [Fault::status(403, "")]);
    let model = "owner/name".parse().unwrap();
    assert_silent(&client(&hub).fetch(&model, needed, &mut |_| ()).unwrap_err());
    assert!(!format!("{:?}", client(&hub)).contains("s3cret"));
}

#[test]
fn what_a_server_says_is_cut() {
    let long = "x".repeat(50_000);
    let replies = [
        Reply::new(302, "").with_header("Location", format!("ftp://{long}")),
        Reply::new(200, format!(r#"{{"sha": "{long}", "siblings": []}}"#)),
        Reply::new(200, format!(r#"{{"sha": ["{long}"], "siblings": []}}"#)),
        Reply::new(
            200,
            format!(
                r#"{{"sha": "{}", "siblings": [{{"rfilename": "../{long}"}}]}}"#,
                "a".repeat(40)
            ),
        ),
        Reply::new(500, long.clone()),
        Reply::new(404, long.clone()).with_header("X-Error-Code", long.clone()),
    ];
    for reply in replies {
        let hub = hub();
        hub.fail(Host::Hub, "GET", "/api/", vec![Fault::Answer(reply); 3]);
        let error = hub.checkpoint("owner/name").unwrap_err();
        let (text, debug) = (error.to_string(), format!("{error:?}"));
        assert!(text.len() < 1_000 && debug.len() < 1_000, "{text}");
    }
}
