use std::io;
use std::path::{Path, PathBuf};

/// The directory of a disk's extents.
#[derive(Debug, Clone)]
pub(crate) struct ExtentDir {
    path: PathBuf,
}

impl ExtentDir {
    pub(crate) fn new(disk_dir: &Path) -> Self {
        Self { path: disk_dir.join("extents") }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, number: u64) -> PathBuf {
        self.path.join(format!("EXT-{number:08}.ext"))
    }

    /// Numbers of all extents, in order. Files of other names are none of ours.
    pub(crate) fn list(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            match name.to_str().and_then(number_of) {
                Some(number) => numbers.push(number),
                None => tracing::warn!(dir = %self.path.display(), ?name, "foreign file, kept"),
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("EXT-")?.strip_suffix(".ext")?;
    let number = digits.parse().ok()?;
    // Only the one spelling, so that two files never have one number.
    (format!("{number:08}") == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn extent_names_have_one_spelling() {
        assert_eq!(number_of("EXT-00000012.ext"), Some(12));
        assert_eq!(number_of("EXT-123456789.ext"), Some(123_456_789));
        for bad in ["EXT-12.ext", "EXT-+0000012.ext", "EXT-.ext", "ext-00000012.ext", "x"] {
            assert_eq!(number_of(bad), None, "{bad}");
        }
    }
}
