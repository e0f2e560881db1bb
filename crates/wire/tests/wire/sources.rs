//! The table of sources in the documentation is the one in the code.

use std::{fmt::Write as _, path::Path};

const HEAD: &str = "\
# Sources

What Stormfold reads without being told: every body is recognised by its shape alone. A header, a topic mapping or the
HTTP path may name a source instead (`/v1/ingest/{source}`). Rows are tried from top to bottom; a body that no row
knows is read by best guess as plain JSON, and refused with its reason when there is too little to go by.

Several bodies in one record, one JSON object a line, gzip and zstd are read everywhere. On Kafka the headers `source`,
`content-type`, `tenant` (which a body cannot gainsay) and those of CloudEvents are read, and tombstones are counted. Avro and Protobuf framed for a
schema registry are refused with that very reason. Nothing in a body is fetched, executed or expanded; a subscription of
Amazon SNS is confirmed by `stormfold confirm`, which an operator runs.

Envelopes that only pass a body on (queues, buses, gateways, Kafka Connect, log shippers) are opened, also where the body is
in base 64 or was written as text twice. What templates write that is not quite JSON is read: `NaN`, line ends within a text,
a comma behind the last of a list. Over HTTP it is not: there a body that begins like JSON and is none is answered with
`400` at once, which tells its sender. Plain text is read where its content type is `text/plain` and it speaks of something
that broke or was mended; else it is refused, for it is as likely a broken template or the error page of a proxy.

| source | forms | published at |
|---|---|---|
";

const FOOT: &str = "
Bodies of each, with what is found in them, are in `testdata/payloads/`. A source is one file below
`crates/wire/src/source/`, one row of its table and its scenarios there.
This page is written by `UPDATE=1 cargo test -p wire --test wire sources`.
";

#[test]
fn the_page_lists_what_is_read() {
    let mut page = String::from(HEAD);
    for source in wire::SOURCES {
        writeln!(
            page,
            "| `{}` | {} | <{}> |",
            source.name, source.forms, source.reference
        )
        .unwrap();
    }
    page.push_str(FOOT);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sources.md");
    if crate::update() {
        std::fs::write(path, page).unwrap();
    } else {
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            page,
            "UPDATE=1 rewrites it"
        );
    }
}

#[test]
fn labels_alone_are_an_alert_where_alertmanager_is_named() {
    // All that its API asks of an alert, and what a first `curl` to `/api/v2/alerts` holds.
    for body in [
        r#"[{"labels": {"alertname": "DiskFull", "service": "pay"}}]"#,
        r#"[{"labels": {"service": "pay"}}]"#,
        r#"{"labels": {"alertname": "DiskFull"}}"#,
    ] {
        let raw = wire::Raw {
            source: Some("alertmanager"),
            ..wire::Raw::of_file(body.as_bytes(), "f", 1)
        };
        let mut found = Vec::new();
        wire::Decoder::default().decode(&raw, &mut found);
        assert!(
            matches!(&found[..], [wire::Found::Alert(event)] if event.status == model::Status::Firing),
            "{body}: {found:?}"
        );
    }
}
