use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{console, process};

/// Runs `custos` as a person at a terminal would, and shows what is typed.
pub(super) struct Viewer {
    program: PathBuf,
    config: PathBuf,
    /// Stands in for the home of the user, so that the demo leaves nothing there.
    home: PathBuf,
    short_names: Vec<(String, &'static str)>,
}

impl Viewer {
    /// A user of the binary `program`, with the configuration that the cluster wrote.
    pub(super) fn new(program: PathBuf, config: PathBuf, home: PathBuf) -> Self {
        Self { program, config, home, short_names: Vec::new() }
    }

    /// From now on shows `folder` as `name`; folders inside others first.
    pub(super) fn shorten(&mut self, folder: &Path, name: &'static str) {
        self.short_names.push((folder.display().to_string(), name));
    }

    /// `custos` with these arguments, shown.
    pub(super) fn custos<A: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("CUSTOS_CONFIG", &self.config).stdin(Stdio::null());
        command.env("HOME", &self.home);
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        self.show(&command);
        command
    }

    /// Runs `custos` for what it prints on stdout; its progress is shown on stderr.
    pub(super) fn text<A: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String> {
        let mut command = self.custos(arguments);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {}", process::shown(&command)))?;
        if !output.status.success() {
            bail!("`{}` ended with {}", process::shown(&command), output.status);
        }
        String::from_utf8(output.stdout).context("custos printed what is no text")
    }

    /// Runs `custos --json` and reads the objects that it prints, one a line.
    pub(super) fn objects<A: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Vec<Value>> {
        self.text(arguments)?
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                serde_json::from_str(line).with_context(|| format!("this is not JSON: {line}"))
            })
            .collect()
    }

    /// Shows a command with long folders replaced by their short names.
    pub(super) fn show(&self, command: &Command) {
        let program = Path::new(command.get_program());
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
        let line = process::shown(command).replacen(&*program.to_string_lossy(), &name, 1);
        console::command(&self.shortened(&line));
    }

    /// Text with long folders replaced by their short names.
    pub(super) fn shortened(&self, text: &str) -> String {
        self.short_names
            .iter()
            .fold(text.to_owned(), |text, (folder, name)| text.replace(folder.as_str(), name))
    }
}

/// A text field of an object that `custos` printed.
pub(super) fn text_field(object: &Value, name: &str) -> Result<String> {
    let text = object.get(name).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("no text `{name}` in {object}"))
}

/// A number field of an object that `custos` printed.
pub(super) fn number_field(object: &Value, name: &str) -> Result<u64> {
    let number = object.get(name).and_then(Value::as_u64);
    number.with_context(|| format!("no number `{name}` in {object}"))
}
