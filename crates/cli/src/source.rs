//! Opening what the user named: a file or `-`, plain or compressed. The first bytes decide, not the name.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::fail::Failure;

const BLOCK_BYTES: usize = 256 << 10;

/// Opens `name` for reading, decompressed; `read` counts the bytes taken from the file itself.
pub(crate) fn open(name: &str, read: &Arc<AtomicU64>) -> Result<Box<dyn Read>, Failure> {
    let raw: Box<dyn Read> = match name {
        "-" => Box::new(io::stdin()),
        path => Box::new(File::open(path).map_err(|e| Failure::io(path, e))?),
    };
    let counted = Counted {
        raw,
        read: read.clone(),
    };
    let mut buffered = BufReader::with_capacity(BLOCK_BYTES, counted);
    let head = buffered.fill_buf().map_err(|e| Failure::io(name, e))?;
    Ok(if head.starts_with(&[0x1f, 0x8b]) {
        unpacked("gzip", flate2::bufread::MultiGzDecoder::new(buffered))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::Decoder::with_buffer(buffered).map_err(|e| Failure::io(name, e))?;
        unpacked("zstd", decoder)
    } else {
        if head.starts_with(b"\xef\xbb\xbf") {
            buffered.consume(3);
        }
        Box::new(buffered)
    })
}

/// Reads what is compressed, and says so when that cannot be read: the words of the formats themselves say too little.
fn unpacked(format: &'static str, from: impl Read + 'static) -> Box<dyn Read> {
    Box::new(Unpacked {
        format,
        from: Box::new(from),
    })
}

struct Unpacked {
    format: &'static str,
    from: Box<dyn Read>,
}

impl Read for Unpacked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.from.read(out).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let format = self.format;
            io::Error::new(
                error.kind(),
                format!("cut off or damaged, cannot be unpacked as {format}: {error}"),
            )
        })
    }
}

/// All of `name` as bytes, at most `bytes_max` of them.
pub(crate) fn read_all(name: &str, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut source = open(name, &Arc::default())?.take(bytes_max + 1);
    source.read_to_end(&mut bytes).map_err(|e| Failure::io(name, e))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Failure::Wrong(format!("{name}: longer than {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// Sum of the sizes of the files; `None` when one of them is a pipe.
pub(crate) fn total_bytes(names: &[String]) -> Option<u64> {
    names
        .iter()
        .map(|name| {
            std::fs::metadata(name)
                .ok()
                .filter(|m| m.is_file())
                .map(|m| m.len())
        })
        .sum()
}

struct Counted {
    raw: Box<dyn Read>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.raw.read(out)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
