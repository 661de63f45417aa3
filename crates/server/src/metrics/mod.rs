//! The metrics page: what the gateway counts, and what disks, ledger and process say of themselves
//! at the moment they are asked. A process shows what its roles have.

mod disks;
mod ledger;
mod page;
mod process;

pub(crate) use page::{MetricsPage, serve};
