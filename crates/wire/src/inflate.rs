//! Bodies that were compressed by their sender: told by their first bytes, and never larger than the limit.

use std::{borrow::Cow, io::Read};

use crate::found::{Rejection, Stage};

/// The body as it was before it was compressed; a body that is not compressed is left alone.
///
/// Stops one byte beyond `max`, so that a small body that unfolds without end costs no more than a large one.
pub(crate) fn inflate(bytes: &[u8], max: usize) -> Result<Cow<'_, [u8]>, Rejection> {
    match bytes {
        [0x1f, 0x8b, ..] => bounded("gzip", flate2::read::MultiGzDecoder::new(bytes), max),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => match zstd::Decoder::with_buffer(bytes) {
            Ok(decoder) => bounded("zstd", decoder, max),
            Err(error) => Err(broken("zstd", &error)),
        },
        _ => return Ok(Cow::Borrowed(bytes)),
    }
    .map(Cow::Owned)
}

fn bounded(form: &str, reader: impl Read, max: usize) -> Result<Vec<u8>, Rejection> {
    let mut out = Vec::new();
    reader
        .take(max as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|error| broken(form, &error))?;
    if out.len() > max {
        let reason = format!("{form}: more than the limit of {max} bytes when decompressed");
        return Err(Rejection::new(Stage::Frame, reason));
    }
    Ok(out)
}

fn broken(form: &str, error: &std::io::Error) -> Rejection {
    Rejection::new(Stage::Frame, format!("broken {form}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn both_forms_within_the_limit() {
        let plain = vec![b'x'; 1_000];
        for packed in [gzip(&plain), zstd::encode_all(&plain[..], 1).unwrap()] {
            assert_eq!(&*inflate(&packed, 1_000).unwrap(), &plain[..]);
            let over = inflate(&packed, 999).unwrap_err();
            assert!(over.reason.contains("more than the limit of 999 bytes"), "{over}");
            let broken = inflate(&packed[..packed.len() / 2], 1_000).unwrap_err();
            assert!(broken.reason.starts_with("broken "), "{broken}");
        }
        assert_eq!(&*inflate(b"{}", 0).unwrap(), b"{}");
    }
}
