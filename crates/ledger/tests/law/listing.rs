use custos_core::{
    Descriptor, EvidenceId, EvidenceKind, LogIndex,
    limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
};
use custos_ledger::{Answer, Command, Outcome, Query};

use crate::world::{World, complete, id, open, other_station, parts, query, station, view};

fn list(world: &World, after: Option<EvidenceId>, limit: usize, case: Option<&str>) -> Listed {
    let case = case.map(str::to_owned);
    match query(&world.kv, &Query::ListEvidence { after, limit, case, recording: None }) {
        Answer::List { items, resume_after } => {
            Listed { ids: items.iter().map(|item| item.evidence_id).collect(), resume_after }
        }
        other => panic!("{other:?}"),
    }
}

#[derive(Debug, PartialEq)]
struct Listed {
    ids: Vec<EvidenceId>,
    resume_after: Option<EvidenceId>,
}

fn of_case(case: &str) -> Descriptor {
    Descriptor { case: Some(case.to_owned()), ..complete() }
}

#[test]
fn sealed_evidence_is_listed_in_order_of_id_page_by_page() {
    let mut world = World::begun();
    for number in [5, 255, 3, 1, 4, 0] {
        world.sealed(&station(), number, complete());
    }
    world.open(&station(), 2, complete());
    let page = list(&world, None, 4, None);
    assert_eq!(page.ids, [id(0), id(1), id(3), id(4)]);
    assert_eq!(page.resume_after, Some(id(4)));
    let page = list(&world, page.resume_after, 4, None);
    assert_eq!(page, Listed { ids: vec![id(5), id(255)], resume_after: None });
    let exact = list(&world, None, 6, None);
    assert_eq!((exact.ids.len(), exact.resume_after), (6, None));
    assert_eq!(list(&world, Some(id(255)), 6, None), Listed { ids: vec![], resume_after: None });
}

#[test]
fn a_case_lists_its_own_evidence_only() {
    let mut world = World::begun();
    // Names of which one begins the other, and ids that look like the rest of a name.
    world.sealed(&station(), b'a', of_case("a"));
    world.sealed(&station(), b'b', of_case("aa"));
    world.sealed(&station(), b'c', of_case("a"));
    world.sealed(&station(), b'd', of_case("b"));
    world.sealed(&station(), b'e', Descriptor { case: None, ..complete() });
    let ids = |case| list(&world, None, 0, Some(case)).ids;
    assert_eq!(ids("a"), [id(b'a'), id(b'c')]);
    assert_eq!(ids("aa"), [id(b'b')]);
    assert_eq!(ids("b"), [id(b'd')]);
    assert!(ids("").is_empty());
    assert!(ids(&"x".repeat(100_000)).is_empty());
    let page = list(&world, None, 1, Some("a"));
    assert_eq!(page.resume_after, Some(id(b'a')));
    let page = list(&world, page.resume_after, 1, Some("a"));
    assert_eq!(page, Listed { ids: vec![id(b'c')], resume_after: None });
}

fn numbered(world: &mut World, number: u32, descriptor: Descriptor) {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    let mut command = open(0, descriptor);
    if let Command::OpenUpload { upload_key, evidence_id, .. } = &mut command {
        upload_key.0[..16].copy_from_slice(&bytes);
        *evidence_id = EvidenceId::from_bytes(bytes);
    }
    world.act(&station(), command).expect("opened");
    let seal = Command::Seal { evidence_id: EvidenceId::from_bytes(bytes), parts: parts(1) };
    world.act(&station(), seal).expect("sealed");
}

#[test]
fn i10_a_page_is_bounded_in_items_whatever_is_asked_for() {
    let mut world = World::begun();
    for number in 0..1100 {
        numbered(&mut world, number, Descriptor::of_kind(EvidenceKind::Photo));
    }
    assert_eq!(list(&world, None, usize::MAX, None).ids.len(), PAGE_ITEMS_MAX);
    assert_eq!(list(&world, None, 0, None).ids.len(), PAGE_ITEMS_DEFAULT);
    let entries = |from, limit| match query(
        &world.kv,
        &Query::Entries { from: LogIndex(from), limit, evidence_id: None, record: None },
    ) {
        Answer::Entries { items, next } => (items, next),
        other => panic!("{other:?}"),
    };
    let (items, next) = entries(7, usize::MAX);
    assert_eq!((items.len(), next), (PAGE_ITEMS_MAX, Some(LogIndex(7 + 1000))));
    assert_eq!(items[0].index, LogIndex(7));
    assert_eq!(entries(u64::MAX, usize::MAX), (vec![], None));
    let (items, next) = entries(2200, 0);
    assert_eq!((items.len(), next), (1, None));
}

#[test]
fn i10_a_page_of_large_records_ends_early_and_goes_on_without_a_gap() {
    let mut world = World::begun();
    let large = Descriptor {
        officers: vec!["o".repeat(256); 32],
        note: Some("n".repeat(4096)),
        ..complete()
    };
    for number in 0..200 {
        numbered(&mut world, number, large.clone());
    }
    let (mut after, mut ids, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = list(&world, after, 1000, None);
        ids.extend(page.ids);
        pages += 1;
        after = page.resume_after;
        if after.is_none() {
            break;
        }
    }
    assert!(pages > 1);
    assert_eq!(ids.len(), 200);
    assert!(ids.is_sorted());
}

#[test]
fn the_entries_of_one_evidence_item_are_found_page_by_page() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    world.sealed(&other_station(), 2, complete());
    for _ in 0..3 {
        let done = world.act(&station(), view(1, 0, 1));
        assert!(matches!(done, Ok(Outcome::ViewRecorded(_))));
        world.act(&other_station(), view(2, 0, 1)).expect("recorded");
    }
    let page = |from: u64, limit| {
        let query_one =
            Query::Entries { from: LogIndex(from), limit, evidence_id: Some(id(1)), record: None };
        match query(&world.kv, &query_one) {
            Answer::Entries { items, next } => {
                (items.iter().map(|item| item.index.0).collect::<Vec<_>>(), next)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(page(0, 3), (vec![1, 2, 5], Some(LogIndex(7))));
    assert_eq!(page(7, 3), (vec![7, 9], None));
    assert_eq!(page(u64::MAX, 3), (vec![], None));
}
