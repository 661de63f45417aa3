//! A city with one squad, and everybody whom a matter needs.

use crate::{Cli, DevCluster, Member, NodeCluster, Scratch};

/// Everybody, each with a certificate of their own.
#[derive(Debug)]
pub struct Agency {
    /// Made the registers.
    pub developer: Cli,
    /// li.na, the squad's custodian.
    pub custodian: Cli,
    /// wu.gang, its head.
    pub head: Cli,
    /// zhao.min, certificate number 110421.
    pub officer: Cli,
    /// sun.li, certificate number 110422.
    pub other_officer: Cli,
    /// zheng.yi, of the city.
    pub auditor: Cli,
    /// wang.fei, of the city.
    pub administrator: Cli,
}

impl Agency {
    /// With certificates of the development cluster.
    ///
    /// # Panics
    /// When somebody cannot be registered.
    #[must_use]
    pub fn found(cluster: &DevCluster, scratch: &Scratch) -> Self {
        let developer = cluster.cli();
        Self::of(&developer, |name, line| {
            let config = scratch.path().join(format!("{name}.toml"));
            let out = config.to_str().expect("paths of tests are UTF-8");
            let added = developer.done(&[line, &["--out", out]].concat());
            assert_eq!(added["config"], *out, "{added}");
            Cli::new(config, scratch.path())
        })
    }

    /// With certificates of the cluster's authority, over a gateway for each: `gateway_of` their
    /// name.
    ///
    /// # Panics
    /// When somebody cannot be registered.
    #[must_use]
    pub fn found_on_nodes(
        cluster: &NodeCluster,
        scratch: &Scratch,
        gateway_of: impl Fn(&str) -> usize,
    ) -> Self {
        let developer = cluster.cli(0);
        Self::of(&developer, |name, line| {
            let added = developer.done(line);
            let role = added["role"].as_str().expect("a role");
            let config = scratch.path().join(format!("{name}.toml"));
            cluster.client(name, role, Member::Gateway(gateway_of(name))).write(&config);
            Cli::new(config, scratch.path())
        })
    }

    fn of(developer: &Cli, mut add: impl FnMut(&str, &[&str]) -> Cli) -> Self {
        developer.done(&["unit", "add", "city", "--title", "City bureau"]);
        developer.done(&["unit", "add", "traffic", "--title", "Traffic squad", "--parent", "city"]);
        let mut add = |name: &str, role: &str, unit: &str, more: &[&str]| {
            let line = ["person", "add", name, "--role", role, "--unit", unit];
            add(name, &[&line[..], more].concat())
        };
        Self {
            custodian: add("li.na", "custodian", "traffic", &[]),
            head: add("wu.gang", "unit-head", "traffic", &[]),
            officer: add("zhao.min", "officer", "traffic", &["--certificate-no", "110421"]),
            other_officer: add("sun.li", "officer", "traffic", &["--certificate-no", "110422"]),
            auditor: add("zheng.yi", "auditor", "city", &[]),
            administrator: add("wang.fei", "administrator", "city", &[]),
            developer: developer.clone(),
        }
    }

    /// A case of both officers, at the stage of investigation.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub fn open_case(&self, case: &str) {
        let line = ["case", "open", case, "--act-type", "penalty", "--unit", "traffic"];
        let people = ["--custodian", "li.na", "--officer", "110421", "--officer", "110422"];
        let party = ["--party", "Wei Ming=respondent", "--title", "a stall in the road"];
        let opened = self.officer.done(&[&line[..], &people, &party].concat());
        assert_eq!((&opened["state"], &opened["stage"]), (&"open".into(), &"initiation".into()));
        assert_eq!(opened["changed_by"], "zhao.min (officer)", "R26: {opened}");
        let moved = self.officer.done(&["case", "move", case, "--to", "investigation"]);
        assert_eq!(moved["stage"], "investigation");
    }

    /// Two persons of different roles confirm the clock: all of cluster time counts from then on.
    ///
    /// # Panics
    /// When there was nothing to confirm.
    pub fn confirm_clock(&self) {
        for person in [&self.auditor, &self.administrator] {
            person.done(&["cluster", "clock", "confirm", "--reason", "compared"]);
        }
    }

    /// Proposes to end evidence and has two agree; gives the disposition's id.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn approved_disposition(&self, evidence: &[&str]) -> String {
        let line = ["dispose", "propose", "--reason", "the retention is over"];
        let proposed = self.custodian.done(&[&line[..], evidence].concat());
        let id = proposed["id"].as_str().expect("an id").to_owned();
        for person in [&self.head, &self.auditor] {
            person.done(&["dispose", "approve", &id, "--reason", "checked"]);
        }
        id
    }
}
