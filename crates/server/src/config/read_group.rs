//! The keys of `[group]`: the other members of the ledger's group.

use std::net::SocketAddr;

use super::{
    ConfigProblem, GroupConfig,
    read::{ADDRESS, ENDPOINTS, Reading, address, bad, is_endpoint},
    read_storage::{ENDPOINT, NAME, NAME_BYTES_MAX},
    table_reader::TableReader,
};

impl<'d, 'i> Reading<'d, 'i> {
    /// Outer `None` when something is wrong, inner when there is no group.
    #[expect(clippy::option_option, reason = "outer: it could be read; inner: it is there")]
    pub(super) fn group(&self, table: TableReader<'d, 'i>) -> Option<Option<GroupConfig>> {
        if table.is_absent() {
            return Some(None);
        }
        let name = table.required_string("name", NAME).and_then(|text| {
            text.map(self.document, |text| {
                let is_fine = (1..=NAME_BYTES_MAX).contains(&text.len())
                    && !text.chars().any(char::is_control);
                if is_fine { Ok(text) } else { bad(format!("{text:?}"), NAME) }
            })
        });
        let listen = table
            .required_string("listen", ADDRESS)
            .and_then(|text| text.map(self.document, |text| address(&text)));
        let listens_everywhere = listen
            .is_some_and(|listen: SocketAddr| listen.ip().is_unspecified() || listen.port() == 0);
        let given = if listens_everywhere {
            table.required_string("endpoint", ENDPOINT)
        } else {
            table.string("endpoint", ENDPOINT)
        };
        let endpoint = match (given, listen) {
            (Some(text), _) => text.map(self.document, |text| {
                if is_endpoint(&text) { Ok(text) } else { bad(format!("{text:?}"), ENDPOINT) }
            }),
            (None, Some(listen)) if !listens_everywhere => Some(format!("https://{listen}")),
            (None, _) => None,
        };
        let join = match table.strings("join", ENDPOINTS) {
            Some(endpoints) => endpoints.map(self.document, all_endpoints),
            None => Some(Vec::new()),
        };
        table.finish();
        Some(Some(GroupConfig { name: name?, listen: listen?, endpoint: endpoint?, join: join? }))
    }
}

fn all_endpoints(endpoints: Vec<String>) -> Result<Vec<String>, ConfigProblem> {
    match endpoints.iter().find(|endpoint| !is_endpoint(endpoint)) {
        Some(wrong) => bad(format!("{wrong:?}"), ENDPOINTS),
        None if endpoints.is_empty() => bad("an empty list", ENDPOINTS),
        None => Ok(endpoints),
    }
}
