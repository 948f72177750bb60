//! Several clients that share a cache.

use std::thread;

use crate::downloads::assert_holds;
use crate::repository::{NEEDED, Repository, checkpoint};
use crate::test_hub::{Fault, Host, TestHub};

/// Locks belong to open files, so threads exclude each other like processes.
#[test]
fn concurrent_downloads_transfer_each_file_once() {
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', checkpoint(1)));
    hub.fail(Host::Storage, "GET", "model", [Fault::Cut(100_000)]);
    thread::scope(|scope| {
        let programs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| hub.checkpoint("owner/name")))
            .collect();
        for program in programs {
            assert_holds(&program.join().unwrap().unwrap(), &checkpoint(1), &NEEDED);
        }
    });
    let log = hub.take_log();
    let contents = log
        .iter()
        .filter(|(_, r)| r.method == "GET" && r.target.contains("/resolve/"));
    let from = |host| contents.clone().filter(|(h, _)| *h == host).count();
    // The large file is requested from the Hub, then from the storage, both twice.
    assert_eq!(
        (from(Host::Hub), from(Host::Storage)),
        (NEEDED.len() + 1, 2)
    );
    assert!(hub.incomplete().is_empty());
}

/// One client serves all threads of a program.
#[test]
fn a_hub_is_send_and_sync() {
    fn assert_shared<T: Send + Sync>() {}
    assert_shared::<hub::Hub>();
}
