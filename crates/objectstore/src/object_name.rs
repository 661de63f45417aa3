use custos_core::{ChunkIndex, EvidenceId, Salt, ShardSlot, VaultId};
use custos_ports::ShardKey;

use crate::limits::PREFIX_BYTES_MAX;

/// Name of the identity object, below the prefix.
const IDENTITY_NAME: &str = "custos-disk.json";

/// How the objects of one prefix are called: in the order of their shards' keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectNames {
    /// Empty, or ends with `/`.
    root: String,
}

impl ObjectNames {
    /// `Err` says what is wrong with the prefix. Slashes at its ends do not matter.
    pub(crate) fn new(prefix: &str) -> Result<Self, &'static str> {
        let prefix = prefix.trim_matches('/');
        if prefix.len() > PREFIX_BYTES_MAX {
            return Err("it is longer than 256 bytes");
        }
        // What no server, proxy or signature treats in a way of its own.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
        if !prefix.chars().all(plain) {
            return Err("only letters, digits, '-', '_', '.' and '/' can be in it");
        }
        if prefix.split('/').any(|part| matches!(part, "." | "..")) || prefix.contains("//") {
            return Err("none of its parts can be empty, '.' or '..'");
        }
        let root = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { root })
    }

    /// What every name begins with.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn identity(&self) -> String {
        format!("{}{IDENTITY_NAME}", self.root)
    }

    /// What the names of a vault's shards begin with.
    pub(crate) fn vault(&self, vault: VaultId) -> String {
        format!("{}{:08x}/", self.root, vault.0)
    }

    /// What the names of an evidence item's shards begin with.
    pub(crate) fn evidence(&self, vault: VaultId, evidence_id: EvidenceId) -> String {
        format!("{}{evidence_id}/", self.vault(vault))
    }

    /// What the names of a chunk's shards begin with.
    pub(crate) fn chunk(&self, vault: VaultId, evidence: EvidenceId, chunk: ChunkIndex) -> String {
        format!("{}{:08x}-", self.evidence(vault, evidence), chunk.0)
    }

    pub(crate) fn shard(&self, key: &ShardKey) -> String {
        let chunk = self.chunk(key.vault, key.evidence_id, key.chunk);
        format!("{chunk}{:02x}-{}", key.slot.0, key.salt)
    }

    /// The shard that an object of this name holds; `None` when it is none of ours.
    pub(crate) fn parse(&self, name: &str) -> Option<ShardKey> {
        let mut parts = name.strip_prefix(&self.root)?.splitn(3, '/');
        let vault = VaultId(u32::from_str_radix(parts.next()?, 16).ok()?);
        let evidence_id = parts.next()?.parse().ok()?;
        let mut fields = parts.next()?.splitn(3, '-');
        let chunk = ChunkIndex(u32::from_str_radix(fields.next()?, 16).ok()?);
        let slot = ShardSlot(u8::from_str_radix(fields.next()?, 16).ok()?);
        let salt: Salt = fields.next()?.parse().ok()?;
        let key = ShardKey { vault, evidence_id, chunk, slot, salt };
        // Other spellings of the same numbers are other objects.
        (self.shard(&key) == name).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> ObjectNames {
        ObjectNames::new("custos/disk-7").expect("a prefix")
    }

    #[test]
    fn a_name_tells_the_whole_key() {
        let key = ShardKey {
            vault: VaultId(0x0102_0304),
            evidence_id: EvidenceId::from_bytes([0xe1; 16]),
            chunk: ChunkIndex::CROWN,
            slot: ShardSlot(0x0b),
            salt: Salt([0x5a; 16]),
        };
        let name = "custos/disk-7/01020304/e1e1e1e1-e1e1-e1e1-e1e1-e1e1e1e1e1e1/\
                    ffffffff-0b-5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
        assert_eq!(names().shard(&key), name);
        assert_eq!(names().parse(name), Some(key));
        assert_eq!(names().identity(), "custos/disk-7/custos-disk.json");
    }

    #[test]
    fn what_is_spelt_otherwise_is_unknown() {
        let evidence = "e1e1e1e1-e1e1-e1e1-e1e1-e1e1e1e1e1e1";
        let salt = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
        for name in [
            String::new(),
            "custos/disk-7/custos-disk.json".to_owned(),
            format!("custos/disk-8/00000000/{evidence}/00000000-00-{salt}"),
            format!("custos/disk-7/0/{evidence}/00000000-00-{salt}"),
            format!("custos/disk-7/+0000000/{evidence}/00000000-00-{salt}"),
            format!("custos/disk-7/0000000A/{evidence}/00000000-00-{salt}"),
            format!("custos/disk-7/00000000/{}/00000000-00-{salt}", evidence.to_uppercase()),
            format!("custos/disk-7/00000000/{evidence}/00000000-00-{}", salt.to_uppercase()),
            format!("custos/disk-7/00000000/{evidence}/00000000-00-{salt}/"),
            format!("custos/disk-7/00000000/{evidence}/00000000-000-{salt}"),
            format!("custos/disk-7/00000000/{evidence}"),
        ] {
            assert_eq!(names().parse(&name), None, "{name}");
        }
    }

    #[test]
    fn prefixes_that_some_server_might_rewrite_are_refused() {
        for bad in ["a b", "a//b", "../a", "a/./b", "é", "a?b", "a%2f"] {
            assert!(ObjectNames::new(bad).is_err(), "{bad}");
        }
        assert!(ObjectNames::new(&"a".repeat(257)).is_err());
        for (prefix, root) in [("", ""), ("/", ""), ("a", "a/"), ("/a/b/", "a/b/")] {
            assert_eq!(ObjectNames::new(prefix).expect("a prefix").root(), root);
        }
    }

    proptest! {
        #[test]
        fn names_sort_as_their_keys(
            a in (any::<u32>(), any::<[u8; 16]>(), any::<u32>(), any::<u8>(), any::<[u8; 16]>()),
            b in (any::<u32>(), any::<[u8; 16]>(), any::<u32>(), any::<u8>(), any::<[u8; 16]>()),
            shared in 0usize..5,
        ) {
            let key = |f: (u32, [u8; 16], u32, u8, [u8; 16])| ShardKey {
                vault: VaultId(f.0),
                evidence_id: EvidenceId::from_bytes(f.1),
                chunk: ChunkIndex(f.2),
                slot: ShardSlot(f.3),
                salt: Salt(f.4),
            };
            let (a, mut b) = (key(a), key(b));
            if shared > 0 { b.vault = a.vault; }
            if shared > 1 { b.evidence_id = a.evidence_id; }
            if shared > 2 { b.chunk = a.chunk; }
            if shared > 3 { b.slot = a.slot; }
            let (a_name, b_name) = (names().shard(&a), names().shard(&b));
            prop_assert_eq!(a_name.cmp(&b_name), a.cmp(&b));
            prop_assert_eq!(names().parse(&a_name), Some(a));
        }

        #[test]
        fn arbitrary_names_never_panic(name in "\\PC{0,120}", ours in any::<bool>()) {
            let name = if ours { format!("custos/disk-7/{name}") } else { name };
            let _ = names().parse(&name);
        }
    }
}
