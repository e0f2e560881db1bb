//! Lines of a file without a copy per line and without a line that eats the memory.

use std::{
    fmt::Display,
    io::{self, Read},
    sync::Arc,
};

use crate::{
    fail::{Done, Failure},
    source,
};

/// A line longer than this is refused and skipped, in bytes; no monitoring tool posts as much in one record.
pub(crate) const LINE_BYTES_MAX: usize = 16 << 20;

const BLOCK_BYTES: usize = 256 << 10;

/// Reads lines from `read`, each as a slice of the buffer.
pub(crate) struct Lines<R> {
    read: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    number: u64,
    bytes_max: usize,
}

/// One line, without its end.
pub(crate) enum Line<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// The first bytes of a line that is longer than allowed; the rest was skipped.
    Cut(&'a [u8]),
}

/// Hands each line of a file that is not empty to `read`; an error names file and line.
pub(crate) fn each_line<E: Display>(file: &str, mut read: impl FnMut(&str) -> Result<(), E>) -> Done {
    let mut lines = Lines::new(source::open(file, &Arc::default())?, LINE_BYTES_MAX);
    while let Some((number, line)) = lines.next().map_err(|e| Failure::io(file, e))? {
        let wrong = |e: &dyn Display| Failure::Wrong(format!("{file}:{number}: {e}"));
        let bytes = match line {
            Line::Whole(bytes) => bytes,
            Line::Cut(_) => return Err(wrong(&format_args!("longer than {LINE_BYTES_MAX} bytes"))),
        };
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let text = std::str::from_utf8(bytes).map_err(|e| wrong(&e))?;
        read(text).map_err(|e| wrong(&e))?;
    }
    Ok(())
}

impl<R: Read> Lines<R> {
    /// Lines of at most `bytes_max` bytes.
    pub(crate) fn new(read: R, bytes_max: usize) -> Lines<R> {
        Lines {
            read,
            buffer: vec![0; BLOCK_BYTES],
            start: 0,
            end: 0,
            number: 0,
            bytes_max,
        }
    }

    /// The next line and its number, from 1; `None` at the end. The last line needs no end of line.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        let mut searched = self.start;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..self.end]) {
                let line = self.start..searched + at;
                self.start = line.end + 1;
                self.number += 1;
                if line.len() > self.bytes_max {
                    return Ok(Some((
                        self.number,
                        Line::Cut(&self.buffer[line.start..line.start + self.bytes_max]),
                    )));
                }
                return Ok(Some((self.number, Line::Whole(&self.buffer[line]))));
            }
            if self.end - self.start > self.bytes_max {
                return self.skip().map(Some);
            }
            searched = self.make_room();
            let read = self.fill()?;
            if read == 0 {
                let line = self.start..self.end;
                self.start = self.end;
                if line.is_empty() {
                    return Ok(None);
                }
                self.number += 1;
                return Ok(Some((self.number, Line::Whole(&self.buffer[line]))));
            }
        }
    }

    /// Moves what is left to the front and makes sure that there is space behind it; gives where to search on.
    fn make_room(&mut self) -> usize {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        self.end
    }

    fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.read.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Skips to the end of an overlong line. Its head is kept at the front of the buffer, what follows the line behind it.
    fn skip(&mut self) -> io::Result<(u64, Line<'_>)> {
        self.number += 1;
        let head = self.start..self.start + self.bytes_max;
        let keep = head.end;
        loop {
            self.end = keep;
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len() + BLOCK_BYTES, 0);
            }
            if self.fill()? == 0 {
                self.start = self.end;
                break;
            }
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[keep..self.end]) {
                self.start = keep + at + 1;
                break;
            }
        }
        Ok((self.number, Line::Cut(&self.buffer[head])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in steps of `.1`, as a pipe may.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn all(bytes: &[u8], step: usize, max: usize) -> Vec<(u64, String)> {
        let mut lines = Lines::new(Trickle(bytes, step), max);
        let mut out = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            let (mark, bytes) = match line {
                Line::Whole(bytes) => ("", bytes),
                Line::Cut(bytes) => ("cut ", bytes),
            };
            out.push((number, format!("{mark}{}", String::from_utf8_lossy(bytes))));
        }
        out
    }

    #[test]
    fn every_cut_of_the_input_gives_the_same_lines() {
        let bytes = b"one\n\ntwo is longer\nthree";
        let want = [(1, "one"), (2, ""), (3, "two is longer"), (4, "three")].map(|(n, l)| (n, l.to_owned()));
        for step in 1..bytes.len() + 1 {
            assert_eq!(all(bytes, step, 100), want);
        }
        assert!(all(b"", 1, 10).is_empty());
    }

    #[test]
    fn an_overlong_line_is_cut_and_the_next_one_is_whole() {
        let mut bytes = vec![b'x'; 3 * BLOCK_BYTES];
        bytes.extend(b"\nshort\n");
        for step in [1000, BLOCK_BYTES, 10 * BLOCK_BYTES] {
            let lines = all(&bytes, step, 2 * BLOCK_BYTES);
            assert_eq!(lines.len(), 2, "step {step}");
            assert!(lines[0].1.starts_with("cut xxx"), "step {step}");
            assert_eq!(lines[1], (2, "short".to_owned()));
        }
    }
}
