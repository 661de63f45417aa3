use custos_core::{
    EvidenceKind, Rule, Stage,
    law::{ActType, ActTypePolicy, Classification, HoldReason, IncompleteDescriptor, LawPolicy},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select, subsequence},
};

use super::*;

fn standard() -> String {
    render(&LawPolicy::standard())
}

#[track_caller]
fn refused(text: &str, field: &str, rule: Rule, reason: &str) -> PolicyFileError {
    let error = parse(text).expect_err("refused");
    assert_eq!((error.field.as_str(), error.rule), (field, rule), "{error}");
    assert!(error.reason.contains(reason), "{error}");
    error
}

#[test]
fn the_standard_policy_is_read_as_it_was_written() {
    assert_eq!(parse(&standard()), Ok(LawPolicy::standard()));
}

#[test]
fn the_example_in_the_documentation_is_the_standard_policy() {
    assert_eq!(include_str!("../../../../docs/examples/policy.toml"), standard());
}

#[test]
fn every_key_has_a_comment_and_no_line_is_long() {
    let text = standard();
    let mut before = "";
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        let names_key = KEYS.iter().any(|key| line.starts_with(&format!("{key} = ")));
        if names_key || KEYS.iter().any(|key| line == format!("[{key}]")) {
            assert!(before.starts_with('#'), "{line} has no comment");
        }
        before = line;
    }
}

#[test]
fn a_file_may_begin_with_a_byte_order_mark_and_have_other_ends_of_line() {
    let text = format!("\u{feff}{}", standard().replace('\n', "\r\n"));
    assert_eq!(parse(&text), Ok(LawPolicy::standard()));
}

#[test]
fn an_unknown_key_is_named_with_its_path_and_line_and_what_is_known() {
    let text = standard().replace("grace_days =", "grase_days =");
    let error = refused(&text, "grase_days", Rule::R10, "known are");
    let line = text.lines().position(|line| line.starts_with("grase_days"));
    assert_eq!(error.line, line.map(|line| line + 1));
    assert!(error.to_string().contains("grace_days"), "{error}");

    let text = text.replace("grase", "grace") + "stage = []\n";
    refused(&text, "act_types.inspection.stage", Rule::R1, "like, stages, audio_visual");
    let text = format!("\"two words\" = 1\n{}", standard());
    refused(&text, "\"two words\"", Rule::R10, "no such key");
}

#[test]
fn every_key_must_be_there() {
    for key in KEYS {
        let lines: Vec<String> = standard()
            .lines()
            .filter(|line| !line.starts_with(&format!("{key} = ")))
            .map(|line| line.replace(&format!("[{key}"), "[absent"))
            .collect();
        let text = lines.join("\n");
        if text.contains("[absent") {
            refused(&text, "absent", Rule::R10, "no such key");
        } else {
            let error = parse(&text).expect_err("a key is missing");
            assert_eq!((error.field.as_str(), error.reason.as_str()), (*key, "is missing"));
            assert_eq!(error.line, None);
        }
    }
    let text = standard();
    let (head, _) = text.split_once("[act_types").expect("is there");
    refused(head, "act_types", Rule::R1, "is missing");
}

#[test]
fn every_value_must_be_of_its_type() {
    for (number, line) in standard().lines().enumerate() {
        let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        for other in ["1.5", "true", "-1", "4294967296", "{ a = 1 }", "\"\"", "[1]", "[[]]"] {
            let mut lines: Vec<String> = standard().lines().map(str::to_owned).collect();
            lines[number] = format!("{key} = {other}");
            let error = parse(&lines.join("\n")).expect_err(value);
            assert_eq!(error.line, Some(number + 1), "{key} = {other}: {error}");
            assert!(error.field.contains(key), "{key} = {other}: {error}");
        }
    }
}

#[test]
fn unknown_names_are_refused_with_the_known_ones() {
    let text = standard();
    refused(
        &text.replace("accept-unfiled\"\n", "accept\"\n"),
        "incomplete_descriptor",
        Rule::R4,
        "\"accept\" is not one of accept-unfiled, refuse",
    );
    refused(&text.replace("\nvideo =", "\nfilm ="), "kinds.film", Rule::R10, "video, audio");
    refused(
        &text.replace("[\"attack\", ", "[\"attack\",\n\"atack\", "),
        "release_by_two[1]",
        Rule::R11,
        "attack, mass-incident",
    );
    refused(
        &text.replace("[act_types.penalty]", "[act_types.fine]"),
        "act_types.fine",
        Rule::R1,
        "penalty, compulsion",
    );
    refused(
        &text.replace("audio_visual = [\"inv", "audio_visual = [\"Inv"),
        "act_types.penalty.audio_visual[0]",
        Rule::R9,
        "\"Investigation\" is not one of initiation",
    );
}

#[test]
fn what_is_not_toml_is_refused_by_its_line() {
    let text = standard().replace("floor_days = 365", "floor_days = ");
    let error = refused(&text, "policy", Rule::R10, "is not TOML");
    let line = text.lines().position(|line| line.starts_with("floor_days"));
    assert_eq!(error.line, line.map(|line| line + 1));
    refused(
        &(standard() + "retention_days = 1\n"),
        "policy",
        Rule::R10,
        "duplicate key: \"retention_days = 1\"",
    );
}

fn with_act_types(act_types: &str) -> String {
    let text = standard();
    let (head, _) = text.split_once("[act_types]").expect("is there");
    format!("{head}[act_types]\n{act_types}")
}

#[test]
fn an_act_type_takes_what_it_does_not_say_from_the_one_that_it_is_like() {
    let policy = parse(&with_act_types(
        "[act_types.fee]\nlike = 'penalty'\naudio_visual = []\n\
         [act_types.penalty]\nlike = 'inspection'\nretention_days = 730\n\
         [act_types.inspection]\nstages = ['initiation', 'investigation', 'archiving']\n\
         audio_visual = ['investigation']\n\
         [act_types.licence]\n",
    ))
    .expect("is right");
    let order: Vec<_> = policy.act_types.iter().map(|it| it.act_type).collect();
    assert_eq!(order, [ActType::Fee, ActType::Penalty, ActType::Inspection, ActType::Licence]);
    let fee = policy.act_type(ActType::Fee).expect("is there");
    assert_eq!(fee.stages, [Stage::Initiation, Stage::Investigation, Stage::Archiving]);
    assert_eq!((fee.audio_visual.as_slice(), fee.retention_days), ([].as_slice(), 730));
    let penalty = policy.act_type(ActType::Penalty).expect("is there");
    assert_eq!(penalty.audio_visual, [Stage::Investigation]);
    let licence = policy.act_type(ActType::Licence).expect("is there");
    assert_eq!(licence.stages, Stage::ALL);
    assert_eq!((licence.audio_visual.len(), licence.retention_days), (0, 0));
}

#[test]
fn act_types_that_are_like_each_other_are_refused_with_the_whole_chain() {
    refused(
        &with_act_types(
            "fee.like = 'penalty'\npenalty.like = 'licence'\nlicence.like = 'penalty'\n",
        ),
        "act_types.licence.like",
        Rule::R1,
        "fee is like penalty is like licence is like penalty",
    );
    refused(
        &with_act_types("fee.like = 'fee'\n"),
        "act_types.fee.like",
        Rule::R1,
        "in a circle: fee is like fee",
    );
}

#[test]
fn an_act_type_that_is_like_one_that_is_not_there_is_refused_with_the_chain() {
    refused(
        &with_act_types("fee.like = 'penalty'\npenalty.like = 'licence'\n"),
        "act_types.penalty.like",
        Rule::R1,
        "no act type licence: fee is like penalty is like licence",
    );
    refused(
        &with_act_types("fee.like = 'fine'\n"),
        "act_types.fee.like",
        Rule::R1,
        "fee is like \"fine\" is not one of licence",
    );
}

/// Some of the values, each once, in any order.
fn some<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    subsequence(all.to_vec(), 0..=all.len()).prop_shuffle()
}

/// Some of the values in any order, also several times.
fn any_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    vec(select(all), 0..8)
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), 0..4_000_u32, any::<u32>()]
}

/// Each of some names with a number.
fn numbered<T: Copy + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Vec<(T, u32)>> {
    some(all).prop_flat_map(|names| {
        let count = names.len();
        vec(number(), count).prop_map(move |numbers| names.iter().copied().zip(numbers).collect())
    })
}

prop_compose! {
    fn act_types()(
        names in some(ActType::ALL),
        said in vec((any_of(Stage::ALL), any_of(Stage::ALL), number()), ActType::ALL.len()),
    ) -> Vec<ActTypePolicy> {
        let both = names.into_iter().zip(said);
        both.map(|(act_type, (stages, audio_visual, retention_days))| ActTypePolicy {
            act_type,
            stages,
            audio_visual,
            retention_days,
        })
        .collect()
    }
}

prop_compose! {
    fn policy()(
        incomplete_descriptor in select(IncompleteDescriptor::ALL),
        kinds in numbered(EvidenceKind::ALL),
        classifications in numbered(Classification::ALL),
        act_types in act_types(),
        numbers in proptest::array::uniform9(number()),
        release_by_two in any_of(HoldReason::ALL),
    ) -> LawPolicy {
        LawPolicy {
            incomplete_descriptor,
            floor_days: numbers[0],
            kinds: kinds
                .into_iter()
                .map(|(kind, retention_days)| KindPolicy { kind, retention_days })
                .collect(),
            classifications: classifications
                .into_iter()
                .map(|(classification, retention_days)| ClassificationPolicy {
                    classification,
                    retention_days,
                })
                .collect(),
            act_types,
            late_after_hours: numbers[1],
            clock_tolerance_seconds: numbers[2],
            archive_days: numbers[3],
            answer_days: numbers[4],
            grant_days_max: numbers[5],
            grace_days: numbers[6],
            hold_review_days: numbers[7],
            recorder_silent_days: numbers[8],
            release_by_two,
        }
    }
}

proptest! {
    #[test]
    fn any_policy_is_read_as_it_was_written(policy in policy()) {
        prop_assert_eq!(parse(&render(&policy)), Ok(policy));
    }

    #[test]
    fn any_damage_is_refused_or_read_and_never_panics(
        place in any::<Index>(),
        cut in 0..20_usize,
        text in "[a-z=\\[\\]{}.\"'#\\n0-9 -]{0,8}",
    ) {
        let mut file = standard();
        let start = place.index(file.len());
        let end = (start + cut).min(file.len());
        file.replace_range(start..end, &text);
        if let Err(error) = parse(&file) {
            prop_assert!(!error.field.is_empty() && !error.reason.contains('\n'));
            prop_assert!(error.line.is_none_or(|line| line <= file.lines().count() + 1));
        }
    }
}
