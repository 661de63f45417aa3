use custos_core::ErasureProfile;
use serde::Serialize;

use super::report::Kind;
use crate::limit::{Baseline, Measure};

/// A load's figures over those of the machine without Custos: what travels between machines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Ratios {
    /// Throughput over that of one raw gRPC stream with TLS. More than 1 is possible: several
    /// clients have several connections.
    pub(super) of_raw_stream: Option<f64>,
    /// Shard bytes written over what the disk takes in direct writes of six files; puts only.
    pub(super) of_disk: Option<f64>,
    /// The server's processor time over the least that it can be: receiving (or sending) the
    /// stream, and sealing and SHA-256 (or opening).
    pub(super) server_cpu_over_floor: Option<f64>,
    /// The client's processor time over sending (or receiving) the stream, and BLAKE3.
    pub(super) client_cpu_over_floor: Option<f64>,
}

/// The figures of a load that are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) kind: Kind,
    pub(super) profile: ErasureProfile,
    pub(super) mib_per_s: Option<f64>,
    pub(super) server_cpu_s_per_gib: Option<f64>,
    pub(super) client_cpu_s_per_gib: Option<f64>,
}

impl Ratios {
    pub(super) fn new(compared: &Compared, baseline: &Baseline) -> Self {
        let cpu = |measure| Some(baseline.figure(measure)?.rate.cpu_s_per_gib);
        let speed = |measure| Some(baseline.figure(measure)?.rate.mib_per_s);
        let server_cpu = |measure| baseline.figure(measure)?.server_cpu_s_per_gib;
        let (stream, server_floor, of_disk) = match compared.kind {
            Kind::Ingest => {
                let shards = compared.profile.total() as f64 / compared.profile.data() as f64;
                let written = compared.mib_per_s.map(|speed| speed * shards);
                let work = [cpu(Measure::Seal), cpu(Measure::Sha256)];
                (Measure::GrpcUpTls, sum(&work), over(written, speed(Measure::DiskWrite)))
            }
            Kind::PlaybackWhole | Kind::PlaybackRanges => {
                (Measure::GrpcDownTls, cpu(Measure::Open), None)
            }
        };
        let server_floor = sum(&[server_floor, server_cpu(stream)]);
        let client_floor = sum(&[cpu(stream), cpu(Measure::Blake3)]);
        Self {
            of_raw_stream: over(compared.mib_per_s, speed(stream)),
            of_disk,
            server_cpu_over_floor: over(compared.server_cpu_s_per_gib, server_floor),
            client_cpu_over_floor: over(compared.client_cpu_s_per_gib, client_floor),
        }
    }
}

fn over(figure: Option<f64>, baseline: Option<f64>) -> Option<f64> {
    Some(figure? / baseline.filter(|baseline| *baseline > 0.0)?)
}

fn sum(parts: &[Option<f64>]) -> Option<f64> {
    parts.iter().copied().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{limit::baseline::Figure, work::Rate};

    fn baseline() -> Baseline {
        let mut baseline = Baseline::new();
        let figure = |measure, mib_per_s, cpu_s_per_gib| {
            Figure::new(measure, Rate { mib_per_s, cpu_s_per_gib })
        };
        baseline.extend([
            figure(Measure::Seal, 4000.0, 0.25),
            figure(Measure::Sha256, 2000.0, 0.5),
            figure(Measure::Blake3, 8000.0, 0.125),
            figure(Measure::DiskWrite, 600.0, 0.1),
            Figure {
                server_cpu_s_per_gib: Some(0.25),
                ..figure(Measure::GrpcUpTls, 1000.0, 0.375)
            },
        ]);
        baseline
    }

    fn compared(kind: Kind) -> Compared {
        Compared {
            kind,
            profile: ErasureProfile::P4_2,
            mib_per_s: Some(200.0),
            server_cpu_s_per_gib: Some(2.0),
            client_cpu_s_per_gib: Some(1.0),
        }
    }

    #[test]
    fn a_put_stands_beside_stream_disk_and_the_work_that_cannot_be_spared() {
        let ratios = Ratios::new(&compared(Kind::Ingest), &baseline());
        assert_eq!(ratios.of_raw_stream, Some(0.2));
        assert_eq!(ratios.of_disk, Some(0.5));
        assert_eq!(ratios.server_cpu_over_floor, Some(2.0));
        assert_eq!(ratios.client_cpu_over_floor, Some(2.0));
    }

    #[test]
    fn what_was_not_measured_has_no_ratio() {
        let ratios = Ratios::new(&compared(Kind::PlaybackWhole), &baseline());
        assert_eq!(ratios.of_raw_stream, None);
        assert_eq!(ratios.of_disk, None);
        assert_eq!(ratios.server_cpu_over_floor, None);
    }
}
