//! Models that are named by the address of a page.

use hub::HubError;

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::test_hub::{TestHub, needed};

#[test]
fn an_address_on_the_hub_is_the_name_of_its_model() {
    let mut files = checkpoint(1);
    for (path, file) in checkpoint(2) {
        files.insert(format!("sub/{path}"), file);
    }
    let hub = TestHub::new(
        Repository::default()
            .with_revision("main", 'a', files)
            .with_revision("v2", 'b', checkpoint(3)),
    );
    let endpoint = hub.endpoint();
    let bare = endpoint.strip_prefix("http://").unwrap();
    for (text, seed) in [
        (format!("{endpoint}/owner/name"), 1),
        (format!("{endpoint}/owner/name/?library=any#usage"), 1),
        (format!("{bare}/owner/name/tree/main/"), 1),
        (format!("{endpoint}/owner/name/tree/main/sub"), 2),
        (
            format!("{endpoint}/owner/name/blob/main/sub/config.json"),
            2,
        ),
        (format!("{endpoint}/owner/name/tree/v2"), 3),
        ("https://huggingface.co/owner/name".into(), 1),
        (
            "hf.co/owner/name/resolve/v2/config.json?download=true".into(),
            3,
        ),
    ] {
        let client = hub.client();
        let model = client.model(&text).unwrap();
        let folder = client.fetch(&model, needed, &mut |_| ()).unwrap();
        assert_holds(&folder, &checkpoint(seed), &NEEDED);
    }
    let error = hub
        .client()
        .model("https://example.com/owner/name")
        .unwrap_err();
    assert!(matches!(error, HubError::Address { .. }), "{error}");
    assert_eq!(
        hub.client().model("owner/name@v2").unwrap().revision(),
        "v2"
    );
}
