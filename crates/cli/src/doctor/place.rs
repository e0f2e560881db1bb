//! What is on this machine: the topology file, the disk, the HTTP server.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use model::Time;
use serde_json::Value;

use super::{Findings, long};
use crate::config::{Config, LogKind};

/// A topology older than this says little of a system that is built on.
const TOPOLOGY_STALE_DAYS: i64 = 30;
/// Less free space than this is soon none.
const FREE_BYTES_MIN: u64 = 1 << 30;
const ASK: Duration = Duration::from_secs(3);

pub(super) fn topology(config: &Config, now: Time, findings: &mut Findings) {
    let area = "topology";
    let Some(file) = &config.topology else {
        let mend = "name a file in `topology`; docs/records.md has its form";
        findings.note(
            area,
            "none: alerts find each other by time, names and habit alone",
            mend,
        );
        return;
    };
    let graph = match crate::topology::graph(file) {
        Ok(graph) => graph,
        Err(_) => return,
    };
    let changed = fs::metadata(file)
        .and_then(|data| data.modified())
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .map(|since| Time::from_millis(since.as_millis() as i64));
    let count = graph.len();
    match changed {
        _ if count == 0 => findings.note(
            area,
            format!("{file} has no nodes"),
            "write one, or take `topology` out",
        ),
        Some(at) if now.since(at).millis() > TOPOLOGY_STALE_DAYS * 86_400_000 => findings.note(
            area,
            format!("{file} has not changed for {}", long(at, now)),
            "export it anew and restart; `stormfold names` says which names in events mean nothing in it",
        ),
        _ => findings.ok(area, format!("{file}: {count} entities")),
    }
    for doubt in
        crate::topology::document(file).map_or_else(|_| Vec::new(), |all| crate::topology::doubts(&all))
    {
        findings.note(
            area,
            format!("{file}: {doubt}"),
            "is it a slip of whoever exports the topology?",
        );
    }
}

pub(super) fn paging(config: &Config, findings: &mut Findings) {
    match config.page.mode {
        model::PageMode::Observe => findings.ok(
            "paging",
            "observed: pages are decided and recorded, nobody is paged",
        ),
        model::PageMode::Live => findings.ok("paging", "live"),
    }
}

pub(super) fn disk(config: &Config, findings: &mut Findings) {
    if config.log != LogKind::Embedded {
        return;
    }
    let dir = Path::new(&config.embedded.dir);
    if !dir.exists() {
        let what = format!("{} does not exist", dir.display());
        findings.note(
            "disk",
            what,
            "`stormfold run` makes it; is embedded.dir the one it runs with?",
        );
        return;
    }
    match rustix::fs::statvfs(dir) {
        Ok(space) => {
            let free = space.f_bavail * space.f_frsize;
            let what = format!(
                "{}: {:.1} GiB free",
                dir.display(),
                free as f64 / FREE_BYTES_MIN as f64
            );
            match free < FREE_BYTES_MIN {
                true => findings.wrong(
                    "disk",
                    what,
                    "make room; when none is left, nothing is accepted any more",
                ),
                false => findings.ok("disk", what),
            }
        }
        Err(error) => findings.note(
            "disk",
            format!("{}: {error}", dir.display()),
            "look at embedded.dir",
        ),
    }
}

/// What the process says of itself; whether one runs here.
pub(super) fn http(config: &Config, findings: &mut Findings) -> bool {
    let area = "http";
    if !config.http.enabled {
        findings.ok(area, "no server, as configured");
        return false;
    }
    let address = config
        .http
        .listen
        .replace("0.0.0.0", "127.0.0.1")
        .replace("[::]", "[::1]");
    let Some((status, body)) = ask(&address, "/readyz") else {
        let mend = "start `stormfold run` here, or run the doctor where it runs; its log says why it ended";
        findings.note(area, format!("nothing answers at {address}"), mend);
        return false;
    };
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let reasons = body["reasons"].as_array().into_iter().flatten();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    match status {
        200 => findings.ok(area, format!("{address} is ready")),
        503 => findings.wrong(
            area,
            format!("{address} is not ready: {}", reasons.join("; ")),
            "mend what is named; where it names nothing, its log does",
        ),
        other => findings.wrong(
            area,
            format!("{address} answers {other} to /readyz"),
            "is it another program that listens there? set http.listen",
        ),
    }
    if config.log == LogKind::Embedded {
        counted(&address, findings);
    }
    true
}

/// What a process that has its log for itself counts of what was not done: nobody else can look into that log.
fn counted(address: &str, findings: &mut Findings) {
    let Some((200, page)) = ask(address, "/metrics") else {
        return;
    };
    let count = |name: &str| {
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<f64>().ok())
            .unwrap_or_default()
    };
    match count("stormfold_dead_letters_total") {
        0.0 => findings.ok("deadletters", "none since the process began"),
        refused => findings.note(
            "deadletters",
            format!("{refused} since the process began"),
            "GET /v1/deadletters says why; what is understood of one: stormfold normalize --explain",
        ),
    }
    let refused = count("stormfold_quiets_refused");
    if refused > 0.0 {
        findings.note(
            "silences",
            format!("{refused} silences or windows were not understood, or too many"),
            "docs/suppression.md has their form; matchers that would match everything are refused",
        );
    }
}

/// Status and body of a page.
fn ask(address: &str, path: &str) -> Option<(u16, String)> {
    let to = address.to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&to, ASK).ok()?;
    stream.set_read_timeout(Some(ASK)).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = Vec::new();
    stream.take(1 << 20).read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
