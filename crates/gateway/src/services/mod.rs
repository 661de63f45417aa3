//! The gRPC faces of the gateway, one file per service of `custos.v1`.

mod catalogue;
mod cluster;
mod custody;
mod ingest;
mod law;
mod playback;

use custos_core::limits;
use custos_wire::v1::{
    catalogue_server::CatalogueServer, cluster_server::ClusterServer,
    custody_server::CustodyServer, ingest_server::IngestServer, law_server::LawServer,
    playback_server::PlaybackServer,
};

use crate::Gateway;

/// The upload service.
#[must_use]
pub fn ingest(gateway: Gateway) -> IngestServer<impl custos_wire::v1::ingest_server::Ingest> {
    IngestServer::new(ingest::IngestService::new(gateway))
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX)
}

/// The streaming service.
#[must_use]
pub fn playback(
    gateway: Gateway,
) -> PlaybackServer<impl custos_wire::v1::playback_server::Playback> {
    PlaybackServer::new(playback::PlaybackService::new(gateway))
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX)
}

/// The catalogue service.
#[must_use]
pub fn catalogue(
    gateway: Gateway,
) -> CatalogueServer<impl custos_wire::v1::catalogue_server::Catalogue> {
    CatalogueServer::new(catalogue::CatalogueService::new(gateway))
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX)
}

/// The service for those who operate the cluster.
#[must_use]
pub fn cluster(gateway: Gateway) -> ClusterServer<impl custos_wire::v1::cluster_server::Cluster> {
    ClusterServer::new(cluster::ClusterService::new(gateway))
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX)
}

/// The custody log service.
#[must_use]
pub fn custody(gateway: Gateway) -> CustodyServer<impl custos_wire::v1::custody_server::Custody> {
    CustodyServer::new(custody::CustodyService::new(gateway))
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX)
}

/// The service of the law: acts, records, lists and reports.
#[must_use]
pub fn law(gateway: Gateway) -> LawServer<impl custos_wire::v1::law_server::Law> {
    LawServer::new(law::LawService::new(gateway))
        .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX)
}

/// Items on a page: the default when 0 is asked for, never more than the limit.
fn page_items(asked: u32) -> usize {
    match asked as usize {
        0 => limits::PAGE_ITEMS_DEFAULT,
        some => some.min(limits::PAGE_ITEMS_MAX),
    }
}
