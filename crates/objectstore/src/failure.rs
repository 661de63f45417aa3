//! What a bucket's refusals mean, and what to do about them.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use custos_core::ErrorKind;

/// A bucket as it is called in messages.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    /// `None`: the one of AWS for the region.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Some(endpoint) => write!(f, "bucket {} at {endpoint}", self.bucket),
            None => write!(f, "bucket {} of AWS region {}", self.bucket, self.region),
        }
    }
}

/// Why a request was in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no such object.
    Missing,
    /// The object ends before the range begins.
    PastEnd,
    /// There is such an object already.
    Exists,
    /// The server does not know what was asked.
    Unsupported(String),
    /// Nothing will work until someone mends what is named.
    Setup(String),
    /// The server wants fewer requests, or is out of order for a while.
    Busy(String),
    /// No space or quota is left.
    Full(String),
    /// The answer's body broke off.
    Broken(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no such object"),
            Self::PastEnd => f.write_str("the object is shorter"),
            Self::Exists => f.write_str("there is such an object already"),
            Self::Unsupported(reason)
            | Self::Setup(reason)
            | Self::Busy(reason)
            | Self::Full(reason)
            | Self::Broken(reason)
            | Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl Failure {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing => ErrorKind::NotFound,
            Self::Busy(_) | Self::Full(_) => ErrorKind::Exhausted,
            Self::PastEnd | Self::Exists => ErrorKind::Integrity,
            Self::Unsupported(_) | Self::Setup(_) | Self::Broken(_) | Self::Other(_) => {
                ErrorKind::Unavailable
            }
        }
    }

    /// What an error of the SDK means.
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>, place: &Place) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        match error {
            SdkError::ServiceError(service) => {
                classify(service.err().code(), status, service.err().message(), place)
            }
            SdkError::ResponseError(_) => classify(None, status, Some(&chain(error)), place),
            SdkError::TimeoutError(_) => Self::Other(format!("{place} did not answer in time")),
            SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => {
                Self::Other(format!("{place} did not answer in time"))
            }
            SdkError::DispatchFailure(dispatch) if dispatch.is_io() => Self::Other(format!(
                "{place} cannot be reached ({}): check the endpoint, and that it is up",
                chain(error)
            )),
            _ => {
                let text = chain(error);
                if text.contains("credential") || text.contains("identity") {
                    return Self::Setup(format!(
                        "no credentials for {place} ({text}): give an access key and its secret, \
                         or where the usual chain finds them"
                    ));
                }
                Self::Other(format!("request to {place}: {text}"))
            }
        }
    }
}

/// What an answer means, by its S3 error code, or by its HTTP status when it has none.
fn classify(code: Option<&str>, status: Option<u16>, said: Option<&str>, place: &Place) -> Failure {
    let shown = match (code, status) {
        (Some(code), _) => code.to_owned(),
        (None, Some(status)) => format!("HTTP status {status}"),
        (None, None) => "no error code".to_owned(),
    };
    let said = match said.map(one_line) {
        Some(said) if !said.is_empty() => format!("{shown}: {said}"),
        _ => shown,
    };
    match (code.unwrap_or(""), status.unwrap_or(0)) {
        ("NoSuchKey", _) => Failure::Missing,
        ("NoSuchBucket", _) => Failure::Setup(format!(
            "there is no {place} ({said}): create it, or name the right one"
        )),
        ("InvalidRange", _) | ("", 416) => Failure::PastEnd,
        ("PreconditionFailed" | "ConditionalRequestConflict", _) | ("", 412) => Failure::Exists,
        ("RequestTimeTooSkewed" | "RequestExpired", _) => Failure::Setup(format!(
            "{place} finds the clock of this machine wrong ({said}): set the clock of this machine \
             and of the server right"
        )),
        (
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException"
            | "InvalidRegion",
            _,
        )
        | ("", 301 | 307) => Failure::Setup(format!(
            "{place} is not of region {} ({said}): set the region, and the endpoint with it",
            place.region
        )),
        (
            "SlowDown"
            | "ServiceUnavailable"
            | "Throttling"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "TooManyRequests"
            | "SlowDownRead"
            | "SlowDownWrite",
            _,
        )
        | (_, 503 | 429) => Failure::Busy(format!(
            "{place} asks for fewer requests or is out of order ({said}): it is tried again later"
        )),
        ("QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage", _) | (_, 507) => {
            Failure::Full(format!("{place} has no space left ({said})"))
        }
        (
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "AccessDenied"
            | "ExpiredToken"
            | "InvalidToken"
            | "AllAccessDisabled"
            | "AccountProblem",
            _,
        )
        | (_, 401 | 403) => Failure::Setup(format!(
            "{place} refuses the credentials ({said}): check access key and secret, and that they \
             may list the bucket and get, put and delete its objects"
        )),
        ("BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch" | "IncompleteBody", _) => {
            Failure::Other(format!("{place} received other bytes than were sent ({said})"))
        }
        ("NotImplemented", _) | (_, 501) => {
            Failure::Unsupported(format!("{place} does not know this request ({said})"))
        }
        // What S3 says of a missing object has a code (only answers to HEAD have none, and none is
        // sent): this is a proxy's page, and the shards may all be there.
        ("", 404) => Failure::Setup(format!(
            "{place} is not what answers ({said}, without an S3 error code): check the endpoint, \
             and the proxy before it if there is one"
        )),
        _ => Failure::Other(format!("{place} answered {said}")),
    }
}

/// Texts of servers go into logs: one line, not too long.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// The error and its causes; the SDK names little more than its class in the first.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    one_line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            bucket: "footage".to_owned(),
            endpoint: Some("http://s3.example".to_owned()),
            region: "eu-1".to_owned(),
        }
    }

    #[track_caller]
    fn check(code: &str, status: u16, expected: fn(String) -> Failure, says: &str) {
        let code = (!code.is_empty()).then_some(code);
        let failure = classify(code, Some(status), Some("as the server\nputs it"), &place());
        let text = failure.to_string();
        assert_eq!(failure, expected(text.clone()));
        assert!(text.contains(says), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }

    #[test]
    fn refusals_say_what_to_do() {
        check("InvalidAccessKeyId", 403, Failure::Setup, "check access key and secret");
        check("SignatureDoesNotMatch", 403, Failure::Setup, "check access key and secret");
        check("", 403, Failure::Setup, "check access key and secret");
        check("NoSuchBucket", 404, Failure::Setup, "there is no bucket footage at http://s3.ex");
        check("", 404, Failure::Setup, "check the endpoint, and the proxy before it");
        check("RequestTimeTooSkewed", 403, Failure::Setup, "set the clock of this machine");
        check("PermanentRedirect", 301, Failure::Setup, "is not of region eu-1");
        check("", 301, Failure::Setup, "is not of region eu-1");
        check("AuthorizationHeaderMalformed", 400, Failure::Setup, "is not of region eu-1");
        check("SlowDown", 503, Failure::Busy, "tried again later");
        check("", 503, Failure::Busy, "HTTP status 503");
        check("Weird", 429, Failure::Busy, "Weird");
        check("XMinioStorageFull", 507, Failure::Full, "no space left");
        check("BadDigest", 400, Failure::Other, "received other bytes than were sent");
        check("InternalError", 500, Failure::Other, "answered InternalError: as the server puts");
    }

    #[test]
    fn answers_about_one_object_are_told_apart() {
        let failure = |code, status| classify(code, Some(status), None, &place());
        assert_eq!(failure(Some("NoSuchKey"), 404), Failure::Missing);
        assert_eq!(failure(Some("InvalidRange"), 416), Failure::PastEnd);
        assert_eq!(failure(Some("PreconditionFailed"), 412), Failure::Exists);
    }
}
