use std::{
    net::{IpAddr, Ipv4Addr},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// Hosts of one network.
const HOSTS_MAX: usize = 200;

/// A network of its own on this machine: hosts (network namespaces) on one switch, any two of which
/// can be parted in either direction. All of it is gone when it is dropped. Only root can have one.
#[derive(Debug)]
pub struct TestNetwork {
    prefix: String,
    hosts: usize,
}

impl TestNetwork {
    /// Makes a network of so many hosts; `None`, said on standard output, when the system does not
    /// let us.
    #[must_use]
    pub fn new(hosts: usize) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        assert!(hosts <= HOSTS_MAX, "more hosts than addresses");
        if !rustix::process::geteuid().is_root() {
            println!("not root: no network of its own can be made");
            return None;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("custos-{}-{number}", std::process::id());
        let network = Self { prefix, hosts };
        match network.make() {
            Ok(()) => Some(network),
            Err(reason) => {
                println!("no network of its own can be made: {reason}");
                None
            }
        }
    }

    /// The namespace of a host, as `ip netns exec` takes it.
    #[must_use]
    pub fn namespace(&self, host: usize) -> String {
        format!("{}-{host}", self.prefix)
    }

    /// The address of a host.
    #[must_use]
    pub fn address(&self, host: usize) -> IpAddr {
        Ipv4Addr::new(10, 77, 0, u8::try_from(host + 1).expect("few hosts")).into()
    }

    /// From now on nothing of `from` arrives at `to`. Answers to what `to` sends do not either.
    ///
    /// # Panics
    /// When the system does not do it.
    pub fn part(&self, from: usize, to: usize) {
        let route = format!("{}/32", self.address(to));
        self.in_host(from, &["ip", "route", "replace", "blackhole", &route]).expect("parted");
    }

    /// Everything arrives everywhere again.
    ///
    /// # Panics
    /// When the system does not do it.
    pub fn heal(&self) {
        for from in 0..self.hosts {
            self.in_host(from, &["ip", "route", "flush", "type", "blackhole"]).expect("healed");
        }
    }

    fn make(&self) -> Result<(), String> {
        let switch = format!("{}-switch", self.prefix);
        ip(&["netns", "add", &switch])?;
        let in_switch = |words: &[&str]| ip(&[&["-n", &switch], words].concat());
        in_switch(&["link", "add", "br0", "type", "bridge"])?;
        in_switch(&["link", "set", "br0", "up"])?;
        for host in 0..self.hosts {
            let (space, port) = (self.namespace(host), format!("p{host}"));
            ip(&["netns", "add", &space])?;
            let in_host = |words: &[&str]| ip(&[&["-n", &space], words].concat());
            in_switch(&[
                "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &space,
            ])?;
            in_switch(&["link", "set", &port, "master", "br0", "up"])?;
            in_host(&["addr", "add", &format!("{}/24", self.address(host)), "dev", "eth0"])?;
            in_host(&["link", "set", "eth0", "up"])?;
            in_host(&["link", "set", "lo", "up"])?;
        }
        Ok(())
    }

    fn in_host(&self, host: usize, words: &[&str]) -> Result<(), String> {
        let space = self.namespace(host);
        ip(&[&["netns", "exec", &space], words].concat())
    }
}

impl Drop for TestNetwork {
    fn drop(&mut self) {
        let spaces = (0..self.hosts).map(|host| self.namespace(host));
        for space in spaces.chain([format!("{}-switch", self.prefix)]) {
            if let Err(reason) = ip(&["netns", "del", &space]) {
                eprintln!("{space} stays: {reason}");
            }
        }
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("ip {}: {reason}", words.join(" ")))
}
