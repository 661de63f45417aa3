//! What is linked in: licences that the project can take, one copy of what must be one, and
//! nothing that the project decided against.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{build, process, spdx};

/// Licences that may be linked into an Apache-2.0 program without further duties.
const LICENCES: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Two copies of one of these do not fit together: types of one are not those of the other.
const ONE_COPY: [&str; 9] =
    ["tonic", "prost", "hyper", "http", "rustls", "tokio", "opentelemetry", "openraft", "rocksdb"];

/// What must not be linked in, and why.
const BANNED: [(&str, &str); 4] = [
    ("ring", "aws-lc-rs is the one provider of cryptography"),
    ("openssl-sys", "rustls with aws-lc-rs is the one TLS"),
    ("native-tls", "rustls with aws-lc-rs is the one TLS"),
    ("madsim", "needs patched copies of tonic and tokio"),
];

/// One package of the build.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
}

/// Checks every package that is really built for this system.
///
/// # Errors
/// Every package that breaks a rule, by name; or that cargo cannot list them, also when
/// `Cargo.lock` does not fit the manifests.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    // `cargo tree`, not `Cargo.lock`: the latter also names optional parts that nobody turned on.
    let listing = process::stdout_of(build::cargo(workspace).args([
        "tree",
        "--locked",
        "--workspace",
        "--edges=normal,build,dev",
        "--prefix=none",
        "--format={p}|{l}",
    ]))?;
    let wrong = problems(&parse(&listing)?)?;
    if !wrong.is_empty() {
        bail!("dependencies break the rules:\n  {}", wrong.join("\n  "));
    }
    let text = std::fs::read_to_string(workspace.root.join("LICENSE"))
        .context("the project's own LICENSE")?;
    if !text.contains("Apache License") || !text.contains("Version 2.0") {
        bail!("LICENSE is not the Apache License 2.0");
    }
    Ok(())
}

fn parse(listing: &str) -> Result<BTreeSet<Package>> {
    let lines = listing.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (package, licence) =
                line.rsplit_once('|').with_context(|| format!("cannot read `{line}`"))?;
            let mut words = package.split_whitespace();
            let name = words.next().with_context(|| format!("cannot read `{line}`"))?;
            let version = words.next().with_context(|| format!("cannot read `{line}`"))?;
            // cargo marks a package that it has shown before.
            let licence = licence.trim_end_matches("(*)").trim();
            Ok(Package { name: name.into(), version: version.into(), licence: licence.into() })
        })
        .collect()
}

fn problems(packages: &BTreeSet<Package>) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let Package { name, version, licence } = package;
        versions.entry(name).or_default().push(version);
        let satisfied = spdx::is_satisfied(licence, &|one| LICENCES.contains(&one))
            .with_context(|| format!("licence of {name} {version}"))?;
        if !satisfied {
            wrong.push(format!("{name} {version}: licence `{licence}` is not on the list"));
        }
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| banned == name) {
            wrong.push(format!("{name} {version}: {why}"));
        }
    }
    for name in ONE_COPY {
        if let Some(copies) = versions.get(name).filter(|copies| copies.len() > 1) {
            wrong.push(format!("{name} is there more than once: {}", copies.join(", ")));
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong_in(listing: &str) -> Vec<String> {
        problems(&parse(listing).unwrap()).unwrap()
    }

    #[test]
    fn a_listing_of_good_packages_has_no_problems() {
        let listing = "custos-core v0.1.0 (/src/crates/core)|Apache-2.0\n\
                       tonic v0.14.9|MIT\n\
                       \n\
                       tonic v0.14.9|MIT (*)\n\
                       syn v2.0.1 (proc-macro)|MIT OR Apache-2.0\n\
                       syn v3.0.1|MIT OR Apache-2.0\n";
        assert_eq!(wrong_in(listing), Vec::<String>::new());
    }

    #[test]
    fn two_copies_of_what_must_be_one_are_named_with_their_versions() {
        assert_eq!(
            wrong_in("tonic v0.13.0|MIT\ntonic v0.14.9|MIT"),
            ["tonic is there more than once: v0.13.0, v0.14.9"]
        );
    }

    #[test]
    fn a_banned_package_is_named_with_the_reason() {
        let wrong = wrong_in("ring v0.17.0|Apache-2.0 AND ISC");
        assert_eq!(wrong, ["ring v0.17.0: aws-lc-rs is the one provider of cryptography"]);
    }

    #[test]
    fn a_licence_off_the_list_is_named() {
        let wrong = wrong_in("copyleft v1.0.0|AGPL-3.0-only");
        assert_eq!(wrong, ["copyleft v1.0.0: licence `AGPL-3.0-only` is not on the list"]);
    }
}
