use std::{fs, path::Path};

use custos_server::config;

use crate::node::{custosd, refused};

fn example() -> String {
    "../../deploy/custosd.toml".to_owned()
}

#[test]
fn every_example_configuration_passes_and_reads_back_to_the_same() {
    let deploy = Path::new(&example()).parent().expect("a folder").to_owned();
    let mut checked = 0;
    for folder in [deploy.clone(), deploy.join("cluster")] {
        for entry in fs::read_dir(folder).expect("list") {
            let path = entry.expect("entry").path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let file = path.to_str().expect("UTF-8");
            let output = custosd(["config", "check", file]).output().expect("starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let printed = String::from_utf8(output.stdout).expect("UTF-8");
            let original = config::load(&path).expect("fine");
            let again = config::parse(&printed, Path::new("/elsewhere"));
            assert_eq!(again, Ok(original), "{file}");
            checked += 1;
        }
    }
    assert_eq!(checked, 1 + 3 + 2, "a whole cluster, each role, two members of a group");
}

#[test]
fn every_mistake_is_printed_with_file_and_line_and_exit_code_2() {
    let dir = tempfile::tempdir().expect("tempdir");
    let file = dir.path().join("custosd.toml");
    let text = fs::read_to_string(example()).expect("read");
    let text = text.replace("listen = \"0.0.0.0:7400\"", "lisen = \"0.0.0.0:7400\"");
    let text = text.replace("retention_days_av = 365", "retention_days_av = 7");
    fs::write(&file, &text).expect("write");
    let path = file.to_str().expect("UTF-8");
    for arguments in [["config", "check", path], ["run", "--config", path]] {
        let (code, message) = refused(custosd(arguments));
        assert_eq!(code, 2, "{message}");
        for (part, problem) in [
            ("lisen =", "lisen: unknown key"),
            ("retention_days_av =", "policy.retention_days_av: 7 cannot be"),
        ] {
            let line = 1 + text.lines().position(|line| line.starts_with(part)).expect("there");
            let expected = format!("{path}:{line}: {problem}");
            assert!(message.contains(&expected), "{expected:?} in {message}");
        }
        assert!(message.contains("listen: is missing"), "{message}");
    }
}

#[test]
fn a_configuration_file_that_is_not_there_is_named() {
    let (code, message) = refused(custosd(["run", "--config", "/no/such/custosd.toml"]));
    assert_eq!(code, 2);
    assert!(message.contains("no configuration file /no/such/custosd.toml"), "{message}");
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = custosd(["completions", shell]).output().expect("starts");
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("custosd"), "{shell}");
    }
}
