//! The limits of `ARCHITECTURE.md` on source files: size, and names that say nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Most lines of a Rust source file; about 400 are comfortable.
const LINES_MAX: usize = 800;

/// Names under which anything could be, so that nothing is found.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "misc"];

/// Folders with sources.
const SOURCE_FOLDERS: [&str; 3] = ["crates", "tests", "benches"];

/// Checks every Rust file and folder.
///
/// # Errors
/// Every file that breaks a limit, by name.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut wrong = Vec::new();
    let mut folders: Vec<PathBuf> = SOURCE_FOLDERS.iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("in {}", folder.display()))?.path();
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            if has_empty_name(&path) {
                wrong.push(format!("{shown}: the name says nothing about what is inside"));
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).with_context(|| shown.clone())?;
                let lines = text.lines().count();
                if lines > LINES_MAX {
                    wrong.push(format!("{shown}: {lines} lines, at most {LINES_MAX}"));
                }
            }
        }
    }
    if !wrong.is_empty() {
        wrong.sort();
        bail!("source files break the limits:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

fn has_empty_name(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| EMPTY_NAMES.iter().any(|name| stem == *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_folder_whose_name_says_nothing_is_found() {
        for path in ["src/utils.rs", "src/common", "tests/helpers.rs"] {
            assert!(has_empty_name(Path::new(path)), "{path}");
        }
        assert!(!has_empty_name(Path::new("src/chunk_layout.rs")));
    }
}
