use std::io::{self, Read, Write};

use super::{client_config::ClientConfig, tls_stream::tls_stream};

/// A client's first words in HTTP/2 (RFC 9113 section 3.4): preface and empty SETTINGS.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Types of frames (RFC 9113 section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
/// Flags of frames.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// The only stream of the connection.
const STREAM: u32 = 1;
/// Bytes before a gRPC message: compressed or not, and its length.
const MESSAGE_HEAD_BYTES: usize = 5;

/// How a gRPC call ended, as far as it shows without reading compressed headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrpcAnswer {
    /// With a message: the server did what was asked.
    Message(Vec<u8>),
    /// With a status and no message.
    StatusOnly,
    /// The connection was refused or broken off.
    Closed,
}

/// Calls `path` (`/package.Service/Method`) of the client's server with one encoded message, with
/// nothing between it and the wire: no client of ours takes part.
///
/// # Panics
/// When nobody listens, or nothing comes in time.
#[must_use]
pub fn grpc_call(client: &ClientConfig, path: &str, message: &[u8]) -> GrpcAnswer {
    let mut stream = tls_stream(client, Some(client));
    let asked = stream.write_all(&request(&client.server().to_string(), path, message));
    match asked.and_then(|()| stream.flush()).and_then(|()| read_answer(&mut stream)) {
        Ok(answer) => answer,
        Err(e) => {
            let timed_out = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
            assert!(!timed_out.contains(&e.kind()), "{path}: no answer in time");
            GrpcAnswer::Closed
        }
    }
}

fn request(authority: &str, path: &str, message: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", path),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        // Literal without indexing, not compressed (RFC 7541 section 6.2.2).
        fields.push(0);
        for text in [name, value] {
            // 127 would need a longer form of the number (section 5.1).
            fields.push(u8::try_from(text.len()).ok().filter(|len| *len < 127).expect("short"));
            fields.extend_from_slice(text.as_bytes());
        }
    }
    let mut body = vec![0];
    body.extend_from_slice(&u32::try_from(message.len()).expect("a short message").to_be_bytes());
    body.extend_from_slice(message);

    let mut bytes = HELLO.to_vec();
    bytes.extend(frame(HEADERS, END_HEADERS, &fields));
    bytes.extend(frame(DATA, END_STREAM, &body));
    bytes
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut bytes = vec![len[1], len[2], len[3], kind, flags];
    bytes.extend_from_slice(&STREAM.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn read_answer(stream: &mut impl Read) -> io::Result<GrpcAnswer> {
    let mut body = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [len_high, len_middle, len_low, kind, flags, id @ ..] = head;
        let len = u32::from_be_bytes([0, len_high, len_middle, len_low]);
        let mut payload = vec![0; usize::try_from(len).expect("24 bits fit")];
        stream.read_exact(&mut payload)?;
        if u32::from_be_bytes(id) != STREAM {
            continue;
        }
        if kind == DATA {
            body.extend_from_slice(&payload);
        }
        if let Some(message) = whole_message(&body) {
            return Ok(GrpcAnswer::Message(message));
        }
        let is_end = matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        if is_end || kind == RST_STREAM {
            return Ok(GrpcAnswer::StatusOnly);
        }
    }
}

fn whole_message(body: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = body.split_at_checked(MESSAGE_HEAD_BYTES)?;
    let len = u32::from_be_bytes(head[1..].try_into().expect("4 bytes"));
    rest.get(..usize::try_from(len).ok()?).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_a_message_is_told_from_one_with_a_status_alone() {
        let settings = b"\0\0\0\x04\0\0\0\0\0".to_vec();
        let with_message = [
            settings.clone(),
            frame(HEADERS, END_HEADERS, b"head"),
            frame(DATA, 0, &[0, 0, 0, 0, 2, 8]),
            frame(DATA, 0, &[1]),
            frame(HEADERS, END_HEADERS | END_STREAM, b"trailers"),
        ];
        let answer = read_answer(&mut with_message.concat().as_slice());
        assert_eq!(answer.expect("whole"), GrpcAnswer::Message(vec![8, 1]));

        let refused = [settings.clone(), frame(HEADERS, END_HEADERS | END_STREAM, b"trailers")];
        let answer = read_answer(&mut refused.concat().as_slice());
        assert_eq!(answer.expect("whole"), GrpcAnswer::StatusOnly);

        let cut = read_answer(&mut settings.as_slice()).expect_err("cut");
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }
}
