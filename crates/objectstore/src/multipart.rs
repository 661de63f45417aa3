//! Bodies that are sent in parts.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::bucket::{Bucket, Voucher};
use crate::checksum::header_value;
use crate::failure::Failure;
use crate::limits::{PART_BYTES, PARTS_IN_FLIGHT_MAX};

impl Bucket {
    /// Writes an object in parts of [`PART_BYTES`]; what was sent of it is given up when it fails.
    pub(crate) async fn put_in_parts(&self, name: &str, body: Bytes) -> Result<Voucher, Failure> {
        let request = self.client.create_multipart_upload().bucket(&self.name).key(name);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32C);
        let answer = request.send().await.map_err(|error| Failure::of(&error, &self.place))?;
        let no_id = || Failure::Other(format!("{} gave no upload id", self.place));
        let upload_id = answer.upload_id().ok_or_else(no_id)?;
        let outcome = self.send_parts(name, upload_id, body).await;
        if outcome.is_err() {
            let abort = self.client.abort_multipart_upload().bucket(&self.name).key(name);
            if let Err(error) = abort.upload_id(upload_id).send().await {
                let failure = Failure::of(&error, &self.place);
                tracing::warn!(
                    %name, %failure,
                    "parts of a failed upload stay: let a lifecycle rule end incomplete uploads"
                );
            }
        }
        outcome
    }

    async fn send_parts(
        &self,
        name: &str,
        upload_id: &str,
        body: Bytes,
    ) -> Result<Voucher, Failure> {
        let parts = (0..body.len().div_ceil(PART_BYTES)).map(|index| {
            let start = index * PART_BYTES;
            let part = body.slice(start..(start + PART_BYTES).min(body.len()));
            self.send_part(name, upload_id, index, part)
        });
        let sent: Vec<(CompletedPart, Voucher)> =
            stream::iter(parts).buffered(PARTS_IN_FLIGHT_MAX).try_collect().await?;
        let vouched = sent.iter().all(|(_, voucher)| *voucher == Voucher::Server);
        let parts = sent.into_iter().map(|(part, _)| part).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.name).key(name);
        let request = request.upload_id(upload_id).multipart_upload(parts);
        request.send().await.map_err(|error| Failure::of(&error, &self.place))?;
        Ok(if vouched { Voucher::Server } else { Voucher::Nobody })
    }

    pub(crate) async fn send_part(
        &self,
        name: &str,
        upload_id: &str,
        index: usize,
        part: Bytes,
    ) -> Result<(CompletedPart, Voucher), Failure> {
        let number = i32::try_from(index + 1).expect("a few parts");
        let checksum = header_value(&part);
        let request = self.client.upload_part().bucket(&self.name).key(name);
        let request = request.upload_id(upload_id).part_number(number);
        let request = request.checksum_crc32_c(&checksum).body(ByteStream::from(part));
        let answer = request.send().await.map_err(|error| Failure::of(&error, &self.place))?;
        let voucher = self.vouched(&checksum, answer.checksum_crc32_c())?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag().map(ToOwned::to_owned))
            // A server that knows none would not expect one.
            .set_checksum_crc32_c((voucher == Voucher::Server).then_some(checksum))
            .build();
        Ok((part, voucher))
    }
}
