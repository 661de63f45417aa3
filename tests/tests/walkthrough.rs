//! The walkthrough of `docs/walkthrough.md` runs as it is printed there: R1, R3, R7, R10, R11, R13,
//! R18, R26, R27, I3 and I8 as people live them.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use custos_tests::{Scratch, free_address, program};

/// The shell blocks of a page, one after the other.
fn script_of(page: &str) -> String {
    let mut script = String::new();
    let mut is_shell = false;
    for line in page.lines() {
        match line.trim_end() {
            "```sh" => is_shell = true,
            "```" => is_shell = false,
            line if is_shell => {
                script.push_str(line);
                script.push('\n');
            }
            _ => {}
        }
    }
    script
}

#[test]
fn a_whole_matter_runs_as_the_walkthrough_prints_it() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/walkthrough.md");
    let script = script_of(&fs::read_to_string(page).expect("the page is there"));
    assert!(script.contains("custos dispose certificate"), "the page has lost its end");
    let scratch = Scratch::new("walkthrough");
    let folder = scratch.path();
    fs::write(folder.join("walkthrough.sh"), &script).expect("written");
    let bin = program("custos").parent().expect("a folder").to_path_buf();
    let path = env::var("PATH").unwrap_or_default();
    let run = Command::new("sh")
        .args(["-eu", "walkthrough.sh"])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("LISTEN", free_address().to_string())
        .env("HOME", folder)
        .env_remove("CUSTOS_CONFIG")
        .stdin(Stdio::null())
        .output()
        .expect("there is a shell");
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    assert!(run.status.success(), "{}\n{out}\n{err}\nserver:\n{log}", run.status);
}
