//! The servers that the token is sent to.

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::test_hub::{Host, TestHub, needed};

#[test]
fn the_token_is_sent_to_the_hub_and_to_no_other_server() {
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)));
    // A redirect within the Hub keeps it.
    hub.rename("old/name", "owner/name");
    let client = hub.client().with_token("hf_secret").unwrap();
    let folder = client
        .fetch(&"old/name".parse().unwrap(), needed, &mut |_| ())
        .unwrap();
    assert_holds(&folder, &checkpoint(1), &NEEDED);
    let log = hub.take_log();
    for (host, request) in &log {
        let authorization = request.headers.get("authorization").map(String::as_str);
        let expected = (*host == Host::Hub).then_some("Bearer hf_secret");
        assert_eq!(authorization, expected, "{host:?} {request:?}");
    }
    assert!(log.iter().any(|(host, _)| *host == Host::Storage));
}

#[test]
fn without_a_token_none_is_sent() {
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)));
    hub.checkpoint("owner/name").unwrap();
    let log = hub.take_log();
    assert!(
        log.iter()
            .all(|(_, request)| !request.headers.contains_key("authorization"))
    );
}
