use std::{fs, thread, time::Instant};

use crate::node::{Node, custosd, dev_arguments, refused};

/// Moments of the first start at which the power goes, spread over its whole length.
const ROUNDS: u32 = 12;

#[test]
fn i1_a_first_start_that_is_killed_at_any_moment_is_completed_by_the_next() {
    let dir = tempfile::tempdir().expect("tempdir");
    let begun = Instant::now();
    let measured = dir.path().join("measured");
    let mut node = Node::dev(&measured);
    node.ready();
    let length = begun.elapsed();
    node.kill();
    let mut cut_short = 0;
    for round in 0..ROUNDS {
        let data = dir.path().join(format!("round-{round}"));
        let mut node = Node::dev(&data);
        // The moment is the fault itself, nothing is waited for.
        thread::sleep(length * round / ROUNDS);
        node.kill();
        cut_short += u32::from(!data.join("custosd.json").exists());
        let mut node = Node::dev(&data);
        node.ready();
        assert!(data.join("custosd.json").exists(), "round {round}");
        assert!(!data.join("custosd.json.draft").exists(), "round {round}");
        assert!(node.terminate().success(), "round {round}: {}", node.log());
        assert!(!node.log().contains("out of service"), "round {round}: {}", node.log());
    }
    assert!(cut_short > 0, "no start was cut short within {length:?}");
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_as_it_was() {
    let dir = tempfile::tempdir().expect("tempdir");
    fs::write(dir.path().join("thesis.tex"), "x").expect("write");
    let (code, message) = refused(custosd(dev_arguments(dir.path())));
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("thesis.tex"), "{message}");
    assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 1);
}
