//! The requests: each bounded in time and size, with what went wrong named.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};

use crate::checksum::header_value;
use crate::failure::{Failure, Place, chain};
use crate::limits::EMPTY_PAGES_MAX;

/// A bucket with a client for it.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) place: Place,
    /// How long a request with its body may take, all attempts together.
    pub(crate) deadline: Duration,
}

/// Bytes of an object.
#[derive(Debug)]
pub(crate) struct Part {
    /// The range asked for, as far as the object goes.
    pub(crate) bytes: Bytes,
    /// Bytes of the whole object.
    pub(crate) object_len: u64,
    /// Names this state of the object, if the server can compare it with another.
    pub(crate) tag: Option<String>,
}

/// Who says that the bucket holds the bytes that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voucher {
    /// The server answered with their checksum.
    Server,
    /// Nobody yet: an older server that reports no checksum.
    Nobody,
}

/// What a write expects to find under the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite<'a> {
    Yes,
    /// Refused where the server knows conditions.
    No,
    /// Only the state of this tag; anything else is refused where the server knows conditions.
    Only(&'a str),
}

/// One page of names in order.
#[derive(Debug)]
pub(crate) struct NamePage {
    /// Name and size of each object.
    pub(crate) objects: Vec<(String, u64)>,
    /// There are more after the last.
    pub(crate) more: bool,
}

impl Bucket {
    /// Reads `range` of an object. An answer that breaks off is asked for once more.
    pub(crate) async fn get(&self, name: &str, range: Range<u64>) -> Result<Part, Failure> {
        match self.get_once(name, range.clone()).await {
            Err(Failure::Broken(reason)) => {
                tracing::debug!(%name, %reason, "reading it once more");
                self.get_once(name, range).await
            }
            outcome => outcome,
        }
    }

    async fn get_once(&self, name: &str, range: Range<u64>) -> Result<Part, Failure> {
        let received = tokio::time::timeout(self.deadline, self.receive(name, range)).await;
        let late = |_| Failure::Other(format!("{} did not answer in time", self.place));
        received.map_err(late)?
    }

    async fn receive(&self, name: &str, range: Range<u64>) -> Result<Part, Failure> {
        assert!(range.start < range.end, "a range of at least one byte");
        let wanted = format!("bytes={}-{}", range.start, range.end - 1);
        let request = self.client.get_object().bucket(&self.name).key(name).range(wanted);
        let answer = request.send().await.map_err(|error| Failure::of(&error, &self.place))?;
        let len = answer.content_length().and_then(|len| u64::try_from(len).ok());
        let object_len = match answer.content_range() {
            Some(text) => match parse_content_range(text) {
                Some((start, total)) if start == range.start => total,
                _ => {
                    let reason = format!("{} answered with another range: {text}", self.place);
                    return Err(Failure::Other(reason));
                }
            },
            // The whole object: some servers answer so when the range is all of it.
            None if range.start == 0 => len.unwrap_or(u64::MAX),
            None => return Err(Failure::Other(format!("{} knows no ranges", self.place))),
        };
        let expected = (range.end - range.start).min(object_len.saturating_sub(range.start));
        let expected = usize::try_from(expected).expect("at most an object, 64 MiB and a head");
        // A weak tag never equals another when it is compared for a write (RFC 9110, 13.1.1).
        let tag = answer.e_tag().filter(|tag| !tag.starts_with("W/")).map(ToOwned::to_owned);
        let mut body = answer.body;
        let mut bytes = BytesMut::with_capacity(expected);
        while bytes.len() < expected {
            match body.next().await {
                Some(Ok(piece)) => {
                    let take = piece.len().min(expected - bytes.len());
                    bytes.extend_from_slice(&piece[..take]);
                }
                Some(Err(error)) => {
                    let reason = format!("{} broke off: {}", self.place, chain(&error));
                    return Err(Failure::Broken(reason));
                }
                // A server that does not say how long the object is.
                None if object_len == u64::MAX => break,
                None => {
                    let got = bytes.len();
                    let reason = format!("{} sent {got} bytes instead of {expected}", self.place);
                    return Err(Failure::Broken(reason));
                }
            }
        }
        let object_len = if object_len == u64::MAX { bytes.len() as u64 } else { object_len };
        Ok(Part { bytes: bytes.freeze(), object_len, tag })
    }

    /// Writes an object in one request. The server checks what it receives, where it knows
    /// checksums.
    pub(crate) async fn put(
        &self,
        name: &str,
        body: Bytes,
        overwrite: Overwrite<'_>,
    ) -> Result<Voucher, Failure> {
        let checksum = header_value(&body);
        let request = self.client.put_object().bucket(&self.name).key(name);
        let request = match overwrite {
            Overwrite::Yes => request,
            Overwrite::No => request.if_none_match("*"),
            Overwrite::Only(tag) => request.if_match(tag),
        };
        let request = request.checksum_crc32_c(&checksum).body(ByteStream::from(body));
        let answer = request.send().await.map_err(|error| Failure::of(&error, &self.place))?;
        self.vouched(&checksum, answer.checksum_crc32_c())
    }

    /// Compares what the server reports with what was sent.
    pub(crate) fn vouched(&self, sent: &str, reported: Option<&str>) -> Result<Voucher, Failure> {
        match reported {
            None => Ok(Voucher::Nobody),
            Some(reported) if reported == sent => Ok(Voucher::Server),
            Some(reported) => Err(Failure::Other(format!(
                "{} received other bytes than were sent: their CRC-32C is {reported}, not {sent}",
                self.place
            ))),
        }
    }

    /// Removes an object; fine when there is none.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Failure> {
        let request = self.client.delete_object().bucket(&self.name).key(name);
        match request.send().await.map_err(|error| Failure::of(&error, &self.place)) {
            Ok(_) | Err(Failure::Missing) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Names in order from the first one after `after` on, at most `limit` and at most 1000. There
    /// is a name on the page unless there are no more.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<NamePage, Failure> {
        let mut token = None;
        for _ in 0..EMPTY_PAGES_MAX {
            let (page, next) = self.list_once(prefix, after, token, limit).await?;
            if !page.more || !page.objects.is_empty() {
                return Ok(page);
            }
            // Skipped names may fill a page that then has none: it is not the end of the listing.
            token = Some(next.ok_or_else(|| {
                let place = &self.place;
                Failure::Other(format!(
                    "{place} lists no names, says that more follow, and not how"
                ))
            })?);
        }
        let place = &self.place;
        Err(Failure::Other(format!("{place} sent {EMPTY_PAGES_MAX} pages without a name in a row")))
    }

    /// One page, and how to ask for the next: from `token` on when there is one, else from the
    /// first name after `after`.
    async fn list_once(
        &self,
        prefix: &str,
        after: Option<&str>,
        token: Option<String>,
        limit: usize,
    ) -> Result<(NamePage, Option<String>), Failure> {
        let limit = i32::try_from(limit.clamp(1, 1000)).expect("at most 1000");
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let start_after = after.filter(|_| token.is_none()).map(ToOwned::to_owned);
        let request = request.set_start_after(start_after).set_continuation_token(token);
        let answer = request.max_keys(limit).send().await;
        let answer = answer.map_err(|error| match Failure::of(&error, &self.place) {
            Failure::Missing => Failure::Setup(format!("there is no {}", self.place)),
            failure => failure,
        })?;
        let objects: Vec<(String, u64)> = answer
            .contents()
            .iter()
            .map(|object| {
                let size = object.size().and_then(|size| u64::try_from(size).ok());
                (object.key().unwrap_or_default().to_owned(), size.unwrap_or(0))
            })
            .collect();
        let mut before = after.unwrap_or_default();
        for (name, _) in &objects {
            if !name.starts_with(prefix) || name.as_str() <= before {
                let reason = format!(
                    "{} lists {name:?} after {before:?} under {prefix:?}: not in order",
                    self.place
                );
                return Err(Failure::Other(reason));
            }
            before = name;
        }
        let next = answer.next_continuation_token().map(ToOwned::to_owned);
        let more = answer.is_truncated().unwrap_or(next.is_some());
        Ok((NamePage { objects, more }, next))
    }
}

/// First byte and total length of `bytes 5-9/100`.
fn parse_content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_as_rfc_9110_writes_them() {
        assert_eq!(parse_content_range("bytes 5-9/100"), Some((5, 100)));
        for bad in ["", "bytes", "bytes */100", "bytes 5-9/*", "bytes -/-", "5-9/100"] {
            assert_eq!(parse_content_range(bad), None, "{bad}");
        }
    }
}
