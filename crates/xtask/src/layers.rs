//! Arrows between crates point down only; crates of one layer do not import each other.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The layer of every package of the product, lowest first; `ARCHITECTURE.md` draws it.
const LAYERS: &[&[&str]] = &[
    &["custos-core"],
    &["custos-ledger", "custos-codec", "custos-wire"],
    &["custos-ports"],
    &["custos-metastore", "custos-shardstore", "custos-objectstore", "custos-peers"],
    &[
        "custos-meta-node",
        "custos-storage-node",
        "custos-gateway",
        "custos-client",
        "custos-backup",
    ],
    &["custos-server", "custos-cli", "custos-xtask"],
];

/// Packages on top of everything: they may import whatever they like, nothing imports them.
const ON_TOP: &[&str] = &["custos-tests", "custos-bench"];

/// What one `Cargo.toml` says about the workspace's own packages.
#[derive(Debug)]
struct Manifest {
    package: String,
    imports: BTreeSet<String>,
}

/// Checks every member of the workspace.
///
/// # Errors
/// Every arrow that does not point down, and every package without a layer, by name.
pub(crate) fn check(root: &Path) -> Result<()> {
    let manifests = members(root)?;
    let wrong: Vec<String> = manifests.iter().flat_map(wrong_arrows).collect();
    if !wrong.is_empty() {
        bail!("layers are broken:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

fn members(root: &Path) -> Result<Vec<Manifest>> {
    let workspace = read(&root.join("Cargo.toml"))?;
    let members = workspace
        .get("workspace")
        .and_then(|table| table.get("members"))
        .and_then(Value::as_array)
        .context("the root Cargo.toml has no [workspace] members")?;
    members
        .iter()
        .map(|member| {
            let folder = member.as_str().context("a workspace member is not text")?;
            let file = root.join(folder).join("Cargo.toml");
            parse(&read(&file)?).with_context(|| format!("in {}", file.display()))
        })
        .collect()
}

fn read(file: &Path) -> Result<Table> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    text.parse().with_context(|| format!("{} is not TOML", file.display()))
}

fn parse(manifest: &Table) -> Result<Manifest> {
    let package = manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str)
        .context("no package name")?
        .to_owned();
    let mut imports = BTreeSet::new();
    collect_imports(manifest, &mut imports);
    let targets = manifest.get("target").and_then(Value::as_table);
    for target in targets.into_iter().flat_map(Table::values).filter_map(Value::as_table) {
        collect_imports(target, &mut imports);
    }
    Ok(Manifest { package, imports })
}

// Tests of a crate obey the layers too: what needs more than lies below it belongs in `tests/`.
fn collect_imports(table: &Table, imports: &mut BTreeSet<String>) {
    for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
        for (key, value) in table.get(section).and_then(Value::as_table).into_iter().flatten() {
            let name = value.get("package").and_then(Value::as_str).unwrap_or(key);
            if name.starts_with("custos-") {
                imports.insert(name.to_owned());
            }
        }
    }
}

fn layer_of(package: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&package))
}

fn wrong_arrows(manifest: &Manifest) -> Vec<String> {
    let from = &manifest.package;
    if ON_TOP.contains(&from.as_str()) {
        return Vec::new();
    }
    let Some(own) = layer_of(from) else {
        return vec![format!("{from} has no layer: give it one in crates/xtask/src/layers.rs")];
    };
    manifest
        .imports
        .iter()
        // A crate's tests turn its own features on so.
        .filter(|to| *to != from)
        .filter_map(|to| match layer_of(to) {
            Some(below) if below < own => None,
            Some(same) if same == own => {
                Some(format!("{from} imports {to}: both are of layer {own}"))
            }
            Some(above) => {
                Some(format!("{from} (layer {own}) imports {to} (layer {above}): that points up"))
            }
            None => Some(format!("{from} imports {to}, which no crate of the product may import")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong_in(manifest: &str) -> Vec<String> {
        wrong_arrows(&parse(&manifest.parse().unwrap()).unwrap())
    }

    #[test]
    fn an_arrow_that_points_down_is_right_also_over_several_layers() {
        let manifest = r#"
            package.name = "custos-server"
            dependencies.custos-core.workspace = true
            dependencies.custos-gateway.workspace = true
            dependencies.tonic = "1"
        "#;
        assert_eq!(wrong_in(manifest), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_points_up_is_named() {
        let manifest = "package.name = 'custos-core'\ndependencies.custos-ports.workspace = true";
        assert_eq!(
            wrong_in(manifest),
            ["custos-core (layer 0) imports custos-ports (layer 2): that points up"]
        );
    }

    #[test]
    fn a_crate_may_name_itself_to_turn_a_feature_on_for_its_tests() {
        let manifest = "package.name = 'custos-peers'\ndev-dependencies.custos-peers.path = '.'";
        assert_eq!(wrong_in(manifest), Vec::<String>::new());
    }

    #[test]
    fn crates_of_one_layer_do_not_import_each_other() {
        let manifest = "package.name = 'custos-wire'\nbuild-dependencies.custos-codec.path = 'x'";
        assert_eq!(wrong_in(manifest), ["custos-wire imports custos-codec: both are of layer 1"]);
    }

    #[test]
    fn a_renamed_or_target_specific_or_test_import_is_found() {
        for import in [
            "dependencies.other = { package = 'custos-server', path = 'x' }",
            "target.'cfg(unix)'.dependencies.custos-server.workspace = true",
            "dev-dependencies.custos-server.workspace = true",
        ] {
            let wrong = wrong_in(&format!("package.name = 'custos-client'\n{import}"));
            assert_eq!(wrong.len(), 1, "{import}: {wrong:?}");
        }
    }

    #[test]
    fn a_package_without_a_layer_is_named() {
        let wrong = wrong_in("package.name = 'custos-new'");
        assert!(wrong[0].contains("custos-new has no layer"), "{wrong:?}");
    }

    #[test]
    fn nothing_imports_the_tests_and_the_tests_import_anything() {
        let wrong =
            wrong_in("package.name = 'custos-cli'\ndev-dependencies.custos-tests.path = 'x'");
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        let free = "package.name = 'custos-tests'\ndependencies.custos-server.workspace = true";
        assert_eq!(wrong_in(free), Vec::<String>::new());
    }
}
