//! Servers that send something now and then, or never end.

use std::time::Duration;

use hub::{Hub, HubError, Progress};

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::server::Reply;
use crate::test_hub::{Fault, Host, TestHub, needed};

const PAUSE: Duration = Duration::from_millis(20);

/// More than a client that goes on while it makes progress sends before it gives up.
const ATTEMPTS: usize = 5_000;

fn hub() -> TestHub {
    TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)))
}

/// A client that gives up a transfer of fewer than 1,000 bytes in 0.4 seconds.
fn impatient(hub: &TestHub) -> Hub {
    hub.client()
        .with_minimum_speed(1_000, Duration::from_millis(400))
}

fn error_with(host: Host, method: &'static str, target: &str, fault: Fault) -> HubError {
    let hub = hub();
    hub.fail(host, method, target, vec![fault; ATTEMPTS]);
    let model = "owner/name".parse().unwrap();
    impatient(&hub)
        .fetch(&model, needed, &mut |_| ())
        .unwrap_err()
}

#[test]
fn a_file_that_drips_is_given_up() {
    for (host, target) in [(Host::Storage, "model"), (Host::Hub, "tokenizer.json")] {
        let error = error_with(host, "GET", target, Fault::Drip(Duration::ZERO, PAUSE));
        assert!(
            matches!(error, HubError::TooSlow { minimum: 1_000, .. }),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("1000 bytes arrived in 0.4 seconds"),
            "{error}"
        );
    }
}

#[test]
fn a_file_of_a_byte_per_connection_is_given_up() {
    let error = error_with(Host::Storage, "GET", "model", Fault::Cut(1));
    assert!(matches!(error, HubError::TooSlow { .. }), "{error}");
}

#[test]
fn a_file_whose_framing_drips_or_never_ends_is_given_up() {
    // No byte of content, but trailers without end.
    let mut trailers = Reply::new(200, "0\r\n").with_header("Transfer-Encoding", "chunked");
    trailers.with_length = false;
    trailers.endless = Some(b"a: b\r\n");
    for pause in [Duration::ZERO, Duration::from_millis(1)] {
        trailers.drip = (Duration::ZERO, pause);
        let hub = hub();
        hub.fail(
            Host::Hub,
            "GET",
            "config.json",
            vec![Fault::Answer(trailers.clone()); 1_000],
        );
        let model = "owner/name".parse().unwrap();
        let error = impatient(&hub)
            .fetch(&model, needed, &mut |_| ())
            .unwrap_err();
        assert!(
            matches!(
                error,
                HubError::TooSlow { .. } | HubError::Interrupted { .. }
            ),
            "{error}"
        );
    }
}

#[test]
fn an_answer_that_comes_late_and_is_complete_is_used() {
    let hub = hub();
    // About 600 bytes of headers.
    hub.fail(
        Host::Hub,
        "GET",
        "config.json",
        [Fault::Drip(Duration::from_millis(4), Duration::ZERO)],
    );
    let client = hub
        .client()
        .with_minimum_speed(1 << 20, Duration::from_secs(5));
    let folder = client
        .fetch(&"owner/name".parse().unwrap(), needed, &mut |_| ())
        .unwrap();
    assert_holds(&folder, &checkpoint(1), &NEEDED);
}

#[test]
fn a_body_that_never_ends_is_cut_at_its_announced_size() {
    let chunk = b"1000\r\n".iter().chain(&[7; 4096]).chain(b"\r\n");
    let chunk: &'static [u8] = chunk.copied().collect::<Vec<u8>>().leak();
    let mut endless = Reply::new(200, "").with_header("Transfer-Encoding", "chunked");
    endless.with_length = false;
    endless.endless = Some(chunk);
    let error = error_with(
        Host::Storage,
        "GET",
        "model",
        Fault::Answer(endless.clone()),
    );
    assert!(
        matches!(error, HubError::Size { .. } | HubError::Hash { .. }),
        "{error}"
    );
    let error = error_with(Host::Hub, "GET", "/api/", Fault::Answer(endless));
    assert!(error.to_string().contains("more than"), "{error}");
}

#[test]
fn headers_that_drip_or_never_end_are_given_up() {
    for (method, target) in [
        ("GET", "/api/"),
        ("HEAD", "config.json"),
        ("GET", "config.json"),
    ] {
        let error = error_with(
            Host::Hub,
            method,
            target,
            Fault::Drip(PAUSE, Duration::ZERO),
        );
        assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
    }
    let endless = Reply::new(200, "").with_header("X-Long", "x".repeat(100 << 10));
    let hub = hub();
    hub.fail(Host::Hub, "GET", "/api/", [Fault::Answer(endless)]);
    let model = "owner/name".parse().unwrap();
    let error = impatient(&hub).files(&model).unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
}

#[test]
fn redirects_that_drip_share_the_time_of_one_answer() {
    let mut redirect =
        Reply::new(302, "").with_header("Location", "/api/models/owner/name/revision/main");
    redirect.drip = (Duration::from_millis(1), Duration::ZERO);
    let error = error_with(Host::Hub, "GET", "/api/", Fault::Answer(redirect));
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
}

#[test]
fn a_list_that_drips_or_never_ends_is_given_up_and_the_cache_is_used() {
    let mut trailers = Reply::new(200, "0\r\n").with_header("Transfer-Encoding", "chunked");
    trailers.with_length = false;
    trailers.endless = Some(b"a: b\r\n");
    for fault in [Fault::Drip(Duration::ZERO, PAUSE), Fault::Answer(trailers)] {
        let hub = hub();
        let folder = hub.checkpoint("owner/name").unwrap();
        hub.fail(Host::Hub, "GET", "/api/", [fault]);
        let model = "owner/name".parse().unwrap();
        let mut notices = 0;
        let found = impatient(&hub).fetch(&model, needed, &mut |progress| {
            assert!(
                matches!(progress, Progress::FromCache { .. }),
                "{progress:?}"
            );
            notices += 1;
        });
        assert_eq!((found.unwrap(), notices), (folder, 1));
    }
}

#[test]
fn a_transfer_that_is_fast_enough_goes_on_however_long_it_takes() {
    let hub = hub();
    // About 10,000 bytes in a window: several windows for the tokenizer.
    hub.fail(
        Host::Hub,
        "GET",
        "tokenizer",
        [Fault::Drip(Duration::ZERO, Duration::from_micros(100))],
    );
    let client = hub.client().with_minimum_speed(1, Duration::from_secs(1));
    let folder = client
        .fetch(&"owner/name".parse().unwrap(), needed, &mut |_| ())
        .unwrap();
    assert_holds(&folder, &checkpoint(1), &NEEDED);
}
