//! SPDX licence expressions (annex D of the SPDX specification), as far as crates use them.

use anyhow::{Result, bail};

/// Whether one may take the code under licences of which `allowed` accepts each.
///
/// Understands `AND`, `OR`, `WITH`, parentheses, and the old `/` for `OR`.
///
/// # Errors
/// When the expression cannot be read.
pub(crate) fn is_satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let satisfied = reader.any_of()?;
    if !reader.words.is_empty() {
        bail!("licence expression `{expression}` goes on after its end");
    }
    Ok(satisfied)
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }

    fn any_of(&mut self) -> Result<bool> {
        let mut satisfied = self.all_of()?;
        while self.take("OR") {
            satisfied |= self.all_of()?;
        }
        Ok(satisfied)
    }

    fn all_of(&mut self) -> Result<bool> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Ok(satisfied)
    }

    fn one(&mut self) -> Result<bool> {
        if self.take("(") {
            let satisfied = self.any_of()?;
            if !self.take(")") {
                bail!("a parenthesis of a licence expression is not closed");
            }
            return Ok(satisfied);
        }
        let Some((licence, rest)) = self.words.split_first() else {
            bail!("a licence expression ends too early");
        };
        self.words = rest;
        if !self.take("WITH") {
            return Ok((self.allowed)(licence));
        }
        let Some((exception, rest)) = self.words.split_first() else {
            bail!("a licence expression ends after WITH");
        };
        self.words = rest;
        // An exception only ever gives more rights than the licence alone.
        Ok((self.allowed)(licence) || (self.allowed)(&format!("{licence} WITH {exception}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> Option<bool> {
        is_satisfied(expression, &|licence| matches!(licence, "MIT" | "ISC" | "Apache-2.0")).ok()
    }

    #[test]
    fn or_needs_one_and_needs_all() {
        assert_eq!(check("MIT OR GPL-3.0-only"), Some(true));
        assert_eq!(check("MIT AND GPL-3.0-only"), Some(false));
        assert_eq!(check("GPL-3.0-only OR MIT AND ISC"), Some(true));
        assert_eq!(check("ISC AND (GPL-2.0-only OR (MIT AND Apache-2.0))"), Some(true));
        assert_eq!(check("(MIT OR ISC) AND Unicode-3.0"), Some(false));
    }

    #[test]
    fn the_old_slash_means_or() {
        assert_eq!(check("GPL-3.0/MIT"), Some(true));
        assert_eq!(check("Apache-2.0 / MIT"), Some(true));
    }

    #[test]
    fn an_exception_does_not_take_rights_away() {
        assert_eq!(check("Apache-2.0 WITH LLVM-exception"), Some(true));
        assert_eq!(check("GPL-3.0-only WITH GCC-exception-3.1"), Some(false));
    }

    #[test]
    fn an_expression_that_cannot_be_read_is_an_error() {
        for broken in ["", "MIT OR", "(MIT", "MIT)", "MIT ISC", "MIT WITH"] {
            assert_eq!(check(broken), None, "{broken}");
        }
    }
}
