//! A body: read up to a limit, decompressed up to the same limit, and bounded in depth before a parser sees it.

use std::{io::Read, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::answer::Refusal;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a body of at most `bytes_max` bytes as they come over the wire.
pub(crate) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Refusal> {
    let all = Limited::new(body, bytes_max).collect();
    let Ok(read) = tokio::time::timeout(PATIENCE, all).await else {
        let reason = format!("the body did not come within {} s", PATIENCE.as_secs());
        return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, reason));
    };
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large(bytes_max)),
        Err(error) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("the body broke off: {error}"),
        )),
    }
}

/// Undoes `Content-Encoding`; what comes out is bounded as well, so that a small body cannot fill the memory.
pub(crate) fn decompress(headers: &HeaderMap, body: Bytes, bytes_max: usize) -> Result<Bytes, Refusal> {
    let encoding = headers
        .get(header::CONTENT_ENCODING)
        .map(|e| e.as_bytes().to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some(b"" | b"identity") => Ok(body),
        Some(b"gzip" | b"x-gzip") => bounded(flate2::read::MultiGzDecoder::new(&body[..]), bytes_max),
        Some(b"zstd") => {
            let decoder = zstd::Decoder::with_buffer(&body[..]);
            let mut decoder = decoder.map_err(|e| broken(&e))?;
            // 8 MiB of window, as RFC 9659 allows over HTTP; more would let a few bytes ask for gigabytes.
            decoder.window_log_max(23).map_err(|e| broken(&e))?;
            bounded(decoder, bytes_max)
        }
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            let reason =
                format!("content encoding {other} is not understood; there are gzip, zstd and identity");
            Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason))
        }
    }
}

fn bounded(from: impl Read, bytes_max: usize) -> Result<Bytes, Refusal> {
    let mut out = Vec::new();
    from.take(bytes_max as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|e| broken(&e))?;
    if out.len() > bytes_max {
        Err(too_large(bytes_max))
    } else {
        Ok(out.into())
    }
}

fn broken(error: &std::io::Error) -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        format!("the compressed body cannot be read: {error}"),
    )
}

fn too_large(bytes_max: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {bytes_max} bytes"),
    )
}

/// Refuses JSON that is nested deeper than allowed. One pass, no recursion; most of a body is text, which is passed over
/// many bytes at a time.
pub(crate) fn check_depth(json: &[u8], depth_max: usize) -> Result<(), Refusal> {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = after_text(json, at),
            b'[' | b'{' => {
                depth += 1;
                if depth > depth_max {
                    let reason = format!("the body is nested deeper than {depth_max} levels");
                    return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Where a text ends that begins at `at`.
fn after_text(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = json.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if json[at - 1] == b'"' {
            return at;
        }
        // What is escaped ends nothing.
        at += 1;
    }
    json.len()
}

/// Whether a body looks like JSON, by its first byte that is not white space.
pub(crate) fn looks_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn encoded(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            header::CONTENT_ENCODING,
            header::HeaderValue::from_static(encoding),
        )])
    }

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap().into()
    }

    #[test]
    fn what_comes_out_is_bounded_too() {
        let small = decompress(&encoded("gzip"), gzip(b"hello"), 10).unwrap();
        assert_eq!(&small[..], b"hello");
        let zstd = zstd::encode_all(&b"hello"[..], 1).unwrap();
        assert_eq!(
            &decompress(&encoded("zstd"), zstd.into(), 10).unwrap()[..],
            b"hello"
        );

        let bomb = gzip(&vec![b'x'; 1 << 20]);
        assert!(bomb.len() < 5_000);
        assert_eq!(
            decompress(&encoded("gzip"), bomb, 100_000).unwrap_err().status,
            StatusCode::PAYLOAD_TOO_LARGE
        );
        let bomb = zstd::encode_all(&vec![b'x'; 1 << 20][..], 1).unwrap();
        assert_eq!(
            decompress(&encoded("zstd"), bomb.into(), 100_000)
                .unwrap_err()
                .status,
            StatusCode::PAYLOAD_TOO_LARGE
        );

        let broken = decompress(&encoded("gzip"), Bytes::from_static(b"no gzip"), 10).unwrap_err();
        assert_eq!(broken.status, StatusCode::BAD_REQUEST);
        let unknown = decompress(&encoded("br"), Bytes::new(), 10).unwrap_err();
        assert_eq!(unknown.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[test]
    fn depth_counts_brackets_outside_of_text() {
        assert!(check_depth(br#"{"a":["[[[[\"[[["]}"#, 2).is_ok());
        assert!(check_depth(br#"{"a\\":[],"b":"\"[[","c":"\\""#, 2).is_ok());
        assert!(check_depth(br#"{"cut \"#, 1).is_ok());
        assert!(check_depth(b"[[[]]]", 3).is_ok());
        assert_eq!(
            check_depth(b"[[[]]]", 2).unwrap_err().status,
            StatusCode::BAD_REQUEST
        );
    }
}
