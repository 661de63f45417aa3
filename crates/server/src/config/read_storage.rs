//! The keys of the role `storage`.

use std::{collections::BTreeMap, net::SocketAddr};

use custos_core::Labels;

use super::{
    BucketConfig, ColdConfig, ConfigProblem, DiskConfig, ScrubConfig, StorageConfig,
    read::{Reading, bad, is_endpoint},
    table_reader::{Placed, TableReader, TextOrTable},
};

/// Longest name of a node and of each of its labels, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 64;
/// Name of the node of a process that has every role, and so may be the only one.
const NAME_DEFAULT: &str = "local";
const REGION_DEFAULT: &str = "us-east-1";
const COLD_DAYS_DEFAULT: u32 = 90;

const DISKS: &str = "a list of folders, or of tables such as { path = \"/srv/d0\", \
                     cold = \"NAME\" } or { bucket = \"NAME\" }";
pub(super) const NAME: &str = "a name of 1 to 64 bytes on one line";
pub(super) const ENDPOINT: &str =
    "an address that the others reach, such as \"https://10.0.0.7:7400\"";
const BUCKET: &str = "the name of a table [buckets.NAME]";
const SERVICE: &str = "the http:// or https:// address of an S3-compatible service";
const COLD_DAYS: &str = "a number of days; 0 moves shards as soon as they are written";
const WEIGHT: &str = "a number of at least 1: a share of new vaults, 1 for each GiB";
const SCRUB_RATE: &str = "a number of MiB each second, at least 1";
const SCRUB_PERIOD: &str = "a number of days, at least 1";

/// What else in the file decides how much the node has to say of itself.
pub(super) struct Surroundings {
    pub(super) listen: Option<SocketAddr>,
    /// The process has every role.
    pub(super) is_complete: bool,
}

impl<'d, 'i> Reading<'d, 'i> {
    pub(super) fn storage(
        &self,
        root: &TableReader<'d, 'i>,
        surroundings: &Surroundings,
    ) -> Option<StorageConfig> {
        let buckets = self.buckets(root);
        let disks = self.disks(root, &buckets);
        let node = self.node(root.table("node"), surroundings);
        let scrub = self.scrub(root.table("scrub"));
        let (name, endpoint, labels) = node?;
        Some(StorageConfig { name, endpoint, labels, disks: disks?, scrub: scrub? })
    }

    fn node(
        &self,
        table: TableReader<'d, 'i>,
        surroundings: &Surroundings,
    ) -> Option<(String, Option<String>, Labels)> {
        let name = if surroundings.is_complete {
            self.label(table.string("name", NAME)).map(|name| name.or(Some(NAME_DEFAULT.into())))
        } else {
            self.label(table.required_string("name", NAME))
        };
        let zone = self.label(table.string("zone", NAME));
        let rack = self.label(table.string("rack", NAME));
        let host = self.label(table.string("host", NAME));
        let listens_everywhere =
            surroundings.listen.is_some_and(|listen| listen.ip().is_unspecified());
        let endpoint = if listens_everywhere && !surroundings.is_complete {
            table.required_string("endpoint", ENDPOINT)
        } else {
            table.string("endpoint", ENDPOINT)
        };
        let is_missing = endpoint.is_none() && listens_everywhere && !surroundings.is_complete;
        let endpoint = self.optional(endpoint, |text| {
            if is_endpoint(&text) { Ok(text) } else { bad(format!("{text:?}"), ENDPOINT) }
        });
        table.finish();
        let name = name??;
        let host = host?.unwrap_or_else(|| name.clone());
        let labels =
            Labels { zone: zone?.unwrap_or_default(), rack: rack?.unwrap_or_default(), host };
        if is_missing { None } else { Some((name, endpoint?, labels)) }
    }

    /// Outer `None` when it is there and wrong.
    #[expect(clippy::option_option, reason = "outer: it could be read; inner: it is there")]
    fn label(&self, text: Option<Placed<String>>) -> Option<Option<String>> {
        self.optional(text, |text| {
            let is_fine = text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
            if is_fine && !text.is_empty() { Ok(text) } else { bad(format!("{text:?}"), NAME) }
        })
    }

    #[expect(clippy::option_option, reason = "outer: it could be read; inner: it is there")]
    fn optional<T, U>(
        &self,
        value: Option<Placed<T>>,
        convert: impl FnOnce(T) -> Result<U, ConfigProblem>,
    ) -> Option<Option<U>> {
        match value {
            None => Some(None),
            Some(value) => value.map(self.document, convert).map(Some),
        }
    }

    fn disks(
        &self,
        root: &TableReader<'d, 'i>,
        buckets: &BTreeMap<String, Option<BucketConfig>>,
    ) -> Option<Vec<DiskConfig>> {
        let items = root.texts_or_tables("disks", DISKS)?;
        let mut disks = Vec::with_capacity(items.len());
        let mut is_fine = true;
        for item in items {
            let (line, key, disk) = match item {
                TextOrTable::Text(path) => (path.line, path.key.clone(), self.folder(path)),
                TextOrTable::Table(table) => {
                    let (line, key) = table.place();
                    (line, key, self.disk(table, buckets))
                }
            };
            match disk {
                Some(disk) if disks.contains(&disk) => {
                    let expected = "a list of different folders and buckets".to_owned();
                    let problem = ConfigProblem::Value { value: "one twice".to_owned(), expected };
                    self.document.report(line, key, problem);
                    is_fine = false;
                }
                Some(disk) => disks.push(disk),
                None => is_fine = false,
            }
        }
        is_fine.then_some(disks)
    }

    fn folder(&self, path: Placed<String>) -> Option<DiskConfig> {
        path.map(self.document, |path| {
            if path.is_empty() {
                return bad("an empty path", DISKS);
            }
            Ok(DiskConfig::Folder { path: self.folder.join(path), cold: None })
        })
    }

    fn disk(
        &self,
        table: TableReader<'d, 'i>,
        buckets: &BTreeMap<String, Option<BucketConfig>>,
    ) -> Option<DiskConfig> {
        let named = |name: Placed<String>| {
            name.map(self.document, |name| match buckets.get(&name) {
                Some(bucket) => Ok(bucket.clone()),
                None => bad(format!("{name:?}"), format!("a table [buckets.{name}] in this file")),
            })
        };
        if let Some(name) = table.string("bucket", BUCKET) {
            let bucket = named(name);
            table.finish();
            return bucket?.map(DiskConfig::Bucket);
        }
        let path = table.required_string("path", "a folder");
        let cold = table.string("cold", BUCKET).map(named);
        let after_days = match table.number("cold_after_days", COLD_DAYS) {
            Some(days) => days.map(self.document, Ok),
            None => Some(COLD_DAYS_DEFAULT),
        };
        table.finish();
        let folder = self.folder(path?)?;
        let DiskConfig::Folder { path, .. } = folder else { return None };
        let cold = match cold {
            None => None,
            Some(bucket) => Some(ColdConfig { bucket: bucket??, after_days: after_days? }),
        };
        Some(DiskConfig::Folder { path, cold })
    }

    /// The buckets by name; `None` for one that has mistakes, which are reported already.
    fn buckets(&self, root: &TableReader<'d, 'i>) -> BTreeMap<String, Option<BucketConfig>> {
        let tables = root.tables("buckets").into_iter();
        tables.map(|(name, table)| (name, self.bucket(table))).collect()
    }

    fn bucket(&self, table: TableReader<'d, 'i>) -> Option<BucketConfig> {
        let endpoint = self.optional(table.string("endpoint", SERVICE), |text| {
            let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
            if host.is_some_and(|host| !host.is_empty()) { Ok(text) } else { bad(text, SERVICE) }
        });
        let text = |value: Option<Placed<String>>| value.map(|value| value.value);
        let region = text(table.string("region", "a region")).unwrap_or(REGION_DEFAULT.to_owned());
        let bucket = table.required_string("bucket", "the name of a bucket");
        let weight = self.optional(table.number("weight", WEIGHT), |weight| match weight {
            0 => bad(weight, WEIGHT),
            _ => Ok(weight),
        });
        let prefix = text(table.string("prefix", "a text")).unwrap_or_default();
        let flag = |key| table.flag(key, "true or false").is_some_and(|flag| flag.value);
        let (path_style, default_chain) = (flag("path_style"), flag("default_chain"));
        table.finish();
        Some(BucketConfig {
            endpoint: endpoint?,
            region,
            bucket: bucket?.value,
            prefix: prefix.trim_matches('/').to_owned(),
            path_style,
            default_chain,
            weight: weight?,
        })
    }

    fn scrub(&self, table: TableReader<'d, 'i>) -> Option<ScrubConfig> {
        let default = ScrubConfig::default();
        let mib = u32::try_from(default.bytes_per_second >> 20).expect("a few");
        let rate = self.count(&table, "mib_per_second", SCRUB_RATE, mib);
        let period = self.count(&table, "period_days", SCRUB_PERIOD, default.period_days);
        table.finish();
        Some(ScrubConfig { bytes_per_second: u64::from(rate?) << 20, period_days: period? })
    }
}
