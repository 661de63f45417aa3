use std::{
    ffi::{OsStr, OsString},
    io::Read,
    path::{Path, PathBuf},
    process::Stdio,
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    content::Content,
    deadline::wait_until,
    process::Process,
    programs,
    scratch::{Scratch, SourceFile},
};

/// For commands of which the caller says nothing else.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// Runs `custos` with one configuration.
#[derive(Debug, Clone)]
pub struct Cli {
    config: PathBuf,
    home: PathBuf,
    namespace: Option<String>,
    environment: Vec<(&'static str, String)>,
    limit: Duration,
}

/// A `custos` that runs.
#[derive(Debug)]
pub struct CliChild {
    command_line: String,
    process: Process,
    stdout: JoinHandle<Vec<u8>>,
    /// Until it is dropped, nobody reads standard output.
    held: Option<Sender<()>>,
    stderr: JoinHandle<Vec<u8>>,
    limit: Duration,
    started: Instant,
}

/// What a `custos` did.
#[derive(Debug)]
pub struct CliRun {
    /// The command line, for messages.
    pub command_line: String,
    /// Exit code; `None` when a signal ended it.
    pub exit_code: Option<i32>,
    /// Everything on standard output.
    pub stdout: Vec<u8>,
    /// Everything on standard error.
    pub stderr: String,
    /// From start to end.
    pub elapsed: Duration,
    /// Bytes that it read from files, as [`Process::bytes_read`].
    pub bytes_read: u64,
}

/// What `custos put --json` says of one file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PutReceipt {
    /// Identity of the evidence.
    pub evidence_id: String,
    /// What `b3sum` prints of the file.
    pub blake3: String,
    /// What `sha256sum` prints of the file.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Cluster time of sealing.
    pub sealed_at: String,
    /// Entry of the custody log that seals it.
    pub log_index: u64,
    /// Fields that rule R4 asks for and that were not given.
    #[serde(default)]
    pub missing_fields: Vec<String>,
    /// There are no bytes, and that is on purpose.
    #[serde(default)]
    pub empty: bool,
    /// What an earlier put of the same file had already made durable.
    #[serde(default)]
    pub resumed_from: u64,
}

impl Cli {
    /// A client that reads this configuration and no other. What it keeps of its own (such as
    /// uploads to resume) stays in the `home` folder.
    #[must_use]
    pub fn new(config: PathBuf, home: &Path) -> Self {
        Self {
            config,
            home: home.to_path_buf(),
            namespace: None,
            environment: Vec::new(),
            limit: RUN_LIMIT,
        }
    }

    /// The same with another deadline for each run.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self { limit, ..self.clone() }
    }

    /// The same in a network namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self.clone() }
    }

    /// The same with this in its environment besides the test's own.
    #[must_use]
    pub fn with_environment(&self, environment: Vec<(&'static str, String)>) -> Self {
        Self { environment, ..self.clone() }
    }

    /// Starts `custos` with these arguments after `--config FILE`.
    pub fn spawn<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> CliChild {
        let mut child = self.spawn_held(args);
        child.held = None;
        child
    }

    /// The same, but nobody reads what it prints before [`CliChild::wait`]: it stops where the pipe
    /// is full.
    pub fn spawn_held<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> CliChild {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let mut command = programs::command("custos", self.namespace.as_deref());
        command.arg("--config").arg(&self.config).args(&args);
        for name in ["CUSTOS_CONFIG", "RUST_LOG"] {
            command.env_remove(name);
        }
        command.env("HOME", &self.home).envs(self.environment.iter().cloned());
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        let command_line = format!("custos {}", words.join(" "));
        let started = Instant::now();
        let mut process = Process::spawn(command_line.clone(), &mut command);
        let (held, gate) = channel();
        let stdout = process.child().stdout.take().expect("standard output is a pipe");
        let stdout = collect_after(gate, stdout);
        let stderr = process.child().stderr.take().expect("standard error is a pipe");
        let stderr = collect_after(channel().1, stderr);
        let held = Some(held);
        CliChild { command_line, process, stdout, held, stderr, limit: self.limit, started }
    }

    /// Runs `custos` with these arguments to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> CliRun {
        self.spawn(args).wait()
    }

    /// Does it and gives the one object that it prints.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn done(&self, line: &[&str]) -> Value {
        let run = self.run([line, &["--json"]].concat());
        run.expect_exit(0);
        run.json()
    }

    /// Tries it, and it is refused under this rule by this field.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn refused(&self, line: &[&str], rule: &str, field: &str) {
        self.run([line, &["--json"]].concat()).expect_refused(rule, field);
    }

    /// Puts a file and checks that the receipt says what is true of it.
    ///
    /// # Panics
    /// When the put fails or the receipt is wrong.
    #[track_caller]
    pub fn put(&self, file: &SourceFile) -> PutReceipt {
        let run = self.run(["put".as_ref(), "--json".as_ref(), file.path.as_os_str()]);
        run.expect_receipt_of(file)
    }

    /// Gets evidence into a file.
    ///
    /// # Panics
    /// When the get fails.
    #[track_caller]
    pub fn get(&self, evidence_id: &str, output: &Path) {
        let args = ["get".as_ref(), evidence_id.as_ref(), "-o".as_ref(), output.as_os_str()];
        self.run(args).expect_exit(0);
    }

    /// Gets `first..=last` of evidence.
    ///
    /// # Panics
    /// When the get fails.
    #[track_caller]
    pub fn get_range(&self, evidence_id: &str, first: u64, last: u64) -> Vec<u8> {
        let range = format!("{first}-{last}");
        let run = self.run(["get", evidence_id, "--bytes", &range]);
        run.expect_exit(0);
        run.stdout
    }

    /// The catalogue holds these and nothing else, and a new put and get work as ever: whatever
    /// went wrong before left nothing half-done. `keep` are ids in the order of opening.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn expect_untroubled(&self, keep: &[&str], scratch: &Scratch) {
        assert_eq!(self.list_ids(), keep, "the catalogue");
        let probe = scratch.source_file("probe.bin", Content { seed: 77, size: 70_000 });
        let id = self.put(&probe).evidence_id;
        let bytes = self.get_range(&id, 0, probe.size() - 1);
        assert!(bytes == probe.content.bytes(0..probe.size()), "the bytes of a new put differ");
    }

    /// Ids of all evidence that the catalogue lists.
    ///
    /// # Panics
    /// When the listing fails.
    #[track_caller]
    pub fn list_ids(&self) -> Vec<String> {
        let run = self.run(["ls", "--json"]);
        run.expect_exit(0);
        run.json_lines().iter().map(|line| text_of(line, "evidence_id")).collect()
    }
}

impl CliChild {
    /// Ends it at once, as loss of power would.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.process.has_ended()
    }

    /// Waits until it has read this much from files, while it still has more to do.
    ///
    /// # Panics
    /// When it ends before that or takes too long.
    #[track_caller]
    pub fn wait_until_read(mut self, bytes: u64) -> Self {
        wait_until("a part of the file to be read", self.limit, || {
            self.has_ended() || self.process.bytes_read() >= bytes
        });
        if self.has_ended() {
            let run = self.wait();
            panic!("`{}` ended too early; it said:\n{}", run.command_line, run.stderr);
        }
        self
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    #[track_caller]
    pub fn wait(mut self) -> CliRun {
        self.held = None;
        let status = self.process.wait(self.limit);
        let stdout = self.stdout.join().expect("the reader of standard output ends");
        let stderr = self.stderr.join().expect("the reader of standard error ends");
        CliRun {
            command_line: self.command_line,
            exit_code: status.code(),
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            elapsed: self.started.elapsed(),
            bytes_read: self.process.bytes_read(),
        }
    }
}

impl CliRun {
    /// It ended with this exit code.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn expect_exit(&self, code: i32) -> &Self {
        self.expect_exit_in(&[code])
    }

    /// It ended with one of these exit codes.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn expect_exit_in(&self, codes: &[i32]) -> &Self {
        assert!(
            self.exit_code.is_some_and(|code| codes.contains(&code)),
            "`{}` ended with {:?}, not with one of {codes:?}; it said:\n{}",
            self.command_line,
            self.exit_code,
            self.stderr
        );
        self
    }

    /// It ended with exit code 3, and its error, one JSON object, names rule and field.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn expect_refused(&self, rule: &str, field: &str) -> &Self {
        self.expect_exit(3);
        // Progress stands before it.
        let line = self.stderr.trim().lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(line).expect("one object");
        let error = &error["error"];
        assert_eq!(error["kind"], "refused", "{error}");
        assert_eq!((&error["rule"], &error["field"]), (&rule.into(), &field.into()), "{error}");
        self
    }

    /// Its message names each of these, without being a panic.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn expect_message(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "`{}` does not name {word:?}; it said:\n{}",
                self.command_line,
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked at"), "a message is no panic:\n{}", self.stderr);
        self
    }

    /// Standard output as one JSON value a line.
    ///
    /// # Panics
    /// When a line is no JSON.
    #[must_use]
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let text = std::str::from_utf8(&self.stdout).expect("JSON output is UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// When it is not one line of JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        let mut lines = self.json_lines();
        assert_eq!(lines.len(), 1, "`{}` prints one line: {lines:?}", self.command_line);
        lines.remove(0)
    }

    /// The receipt of a put of one file.
    ///
    /// # Panics
    /// When the put failed or printed no receipt.
    #[must_use]
    #[track_caller]
    pub fn receipt(&self) -> PutReceipt {
        self.expect_exit(0);
        let json = self.json();
        serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("no receipt ({e}): {json}"))
    }

    /// The receipt of a put of this file; it says what is true of the bytes.
    ///
    /// # Panics
    /// When the put failed or the receipt is wrong.
    #[track_caller]
    pub fn expect_receipt_of(&self, file: &SourceFile) -> PutReceipt {
        let receipt = self.receipt();
        assert_eq!(receipt.size, file.digests.size, "size of {}", file.path.display());
        assert_eq!(receipt.blake3, file.digests.blake3, "b3sum of {}", file.path.display());
        assert_eq!(receipt.sha256, file.digests.sha256, "sha256sum of {}", file.path.display());
        receipt
    }
}

/// A text field of a JSON object.
///
/// # Panics
/// When it is not there.
#[track_caller]
pub(crate) fn text_of(json: &Value, field: &str) -> String {
    let text = json.get(field).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no text {field:?} in {json}")).to_owned()
}

/// Reads a pipe to its end once the other end of `gate` is gone.
fn collect_after(gate: Receiver<()>, mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let _ = gate.recv();
        let mut bytes = Vec::new();
        // A broken pipe ends the reading like a closed one; the exit code tells the rest.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
