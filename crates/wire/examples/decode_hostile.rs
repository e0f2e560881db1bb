//! How long bodies take that were made to take long: the payloads of all sources, each with one of its lists, objects or
//! texts grown to a megabyte, beside what stands around it.
//!
//! `cargo run --release -p wire --example decode_hostile [BYTES] [SOURCE]` prints the ten slowest of each kind with their
//! seconds and the bytes that came out. Work that grows with the square of a body stands far above the others.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement reads a clock and its arguments"
)]

use std::{collections::BTreeSet, path::Path, time::Instant};

use serde_json::{Map, Value};

/// The command's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How a part of a body grows.
#[derive(Clone, Copy, Debug)]
enum Growth {
    /// A list repeats what it holds, and every text outside of it is long.
    List,
    /// An object has many names.
    Names,
    /// An object has one of its own many times, under other names.
    Copies,
    /// A text is long.
    Text,
}

fn main() {
    let bytes = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1 << 20);
    let only = std::env::args().nth(2);
    for growth in [Growth::List, Growth::Names, Growth::Copies, Growth::Text] {
        let (mut seen, mut rows) = (BTreeSet::new(), Vec::new());
        for (source, body) in payloads() {
            if only.as_ref().is_some_and(|only| *only != source) {
                continue;
            }
            for path in places(&body, growth) {
                let plain: String = path.chars().filter(|c| !c.is_ascii_digit()).collect();
                if !seen.insert((source.clone(), plain)) {
                    continue;
                }
                let mut grown = body.clone();
                grow(&mut grown, &path, growth, bytes);
                let text = grown.to_string();
                let (start, mut found) = (Instant::now(), Vec::new());
                wire::Decoder::default().decode(&wire::Raw::of_file(text.as_bytes(), "f", 1), &mut found);
                let seconds = start.elapsed().as_secs_f64();
                let out: usize = found.iter().map(|found| wire::outcome::line(found).len()).sum();
                rows.push((seconds, out, source.clone(), path));
            }
        }
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        println!("{growth:?} ({} bodies of {bytes} bytes)", rows.len());
        for (seconds, out, source, path) in rows.iter().take(10) {
            println!("{seconds:9.3} s {out:12} bytes out  {source} {path}");
        }
    }
}

/// Bodies of JSON with their sources.
fn payloads() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/payloads");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("payloads are there")
        .flat_map(|source| std::fs::read_dir(source.expect("a folder").path()).expect("a folder"))
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    let of = |path: &Path| {
        let scenario: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
        let source = path
            .parent()
            .and_then(Path::file_name)
            .expect("a folder")
            .to_string_lossy();
        let bodies = scenario["bodies"].as_array().cloned().unwrap_or_default();
        let bodies = bodies.into_iter().filter(|body| !body.is_string());
        bodies.map(|body| (source.to_string(), body)).collect::<Vec<_>>()
    };
    files.iter().flat_map(|path| of(path)).collect()
}

/// JSON pointers to what can grow so.
fn places(body: &Value, growth: Growth) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![(String::new(), body)]);
    while let Some((path, value)) = open.pop() {
        let fits = match growth {
            Growth::List => value.as_array().is_some_and(|items| !items.is_empty()),
            Growth::Names => value.is_object(),
            Growth::Copies => value.as_object().is_some_and(|map| !map.is_empty()),
            Growth::Text => value.is_string(),
        };
        if fits {
            found.push(path.clone());
        }
        match value {
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(i, v)| (format!("{path}/{i}"), v)))
            }
            Value::Object(map) => open.extend(map.iter().map(|(name, v)| {
                let name = name.replace('~', "~0").replace('/', "~1");
                (format!("{path}/{name}"), v)
            })),
            _ => {}
        }
    }
    found
}

fn grow(body: &mut Value, path: &str, growth: Growth, bytes: usize) {
    if matches!(growth, Growth::List) {
        lengthen(body, "", path, bytes / 8);
    }
    let Some(value) = body.pointer_mut(path) else {
        return;
    };
    match value {
        Value::Array(items) => {
            let own = items.clone();
            let size = Value::Array(own.clone()).to_string().len();
            for _ in 0..(bytes / 2 / size).max(1) {
                items.extend(own.iter().cloned());
            }
        }
        Value::Object(map) => {
            let (name, of) = map
                .iter()
                .next()
                .map_or((String::new(), Value::from(1)), |(n, v)| (n.clone(), v.clone()));
            let of = if matches!(growth, Growth::Copies) {
                of
            } else {
                Value::from(1)
            };
            let size = of.to_string().len() + name.len() + 10;
            let more: Map<_, _> = (0..bytes / size)
                .map(|i| (format!("{name}{i}"), of.clone()))
                .collect();
            map.extend(more);
        }
        Value::String(text) => *text = format!("{text} ").repeat(bytes / (text.len() + 1)),
        _ => {}
    }
}

/// Makes long what is no part of the place and holds none of it; at most four texts.
fn lengthen(value: &mut Value, at: &str, place: &str, bytes: usize) {
    if at == place {
        return;
    }
    match value {
        Value::String(text) => *text = format!("{text} ").repeat(bytes / (text.len() + 1) + 1),
        Value::Array(items) => {
            for (i, item) in items.iter_mut().enumerate().take(4) {
                lengthen(item, &format!("{at}/{i}"), place, bytes / 4);
            }
        }
        Value::Object(map) => {
            for (name, item) in map.iter_mut() {
                lengthen(item, &format!("{at}/{name}"), place, bytes / 4);
            }
        }
        _ => {}
    }
}
