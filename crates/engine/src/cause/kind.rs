//! What an alert speaks of, from its words: that decides in which direction it points.
//!
//! Whole words only, after CamelCase, `_` and `-` are split and URL paths, paths of code and placeholders are left
//! out: `login_model_implement` is no memory and `cpu_kernel` no core. The first list that matches decides.

use model::{Labels, Severity, Text};
use serde::{Deserialize, Serialize};

/// What an alert speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertKind {
    /// A state of the thing itself: crashed, restarted, not ready, expired.
    State,
    /// It does not answer or is not seen: it may be down, or what is before it.
    Absent,
    /// A log line of an error within.
    Log,
    /// A log line that names something downstream.
    LogDownstream,
    /// A change.
    Change,
    /// Too much of a resource is used.
    Resource,
    /// Abnormally little of a resource is used: less work arrives.
    ResourceLow,
    /// Answers are slow.
    Latency,
    /// What it asks of others is answered slowly.
    Asking,
    /// Answers are wrong.
    Error,
    /// Requests are missing, or too many.
    Traffic,
    /// No list matched.
    #[default]
    Other,
}

impl AlertKind {
    /// Whether it speaks of the inside of the thing that raises it.
    pub(crate) fn is_internal(self) -> bool {
        matches!(
            self,
            AlertKind::State | AlertKind::Absent | AlertKind::Log | AlertKind::Change | AlertKind::Resource
        )
    }

    /// Whether it says no more than that something which it needs may fail, and nothing of its own inside.
    pub(crate) fn may_come_from_below(self) -> bool {
        !matches!(
            self,
            AlertKind::State | AlertKind::Log | AlertKind::Change | AlertKind::Resource
        )
    }

    /// Whether it says that the thing that raises it is down.
    pub(crate) fn is_down(self) -> bool {
        matches!(self, AlertKind::State | AlertKind::Absent)
    }

    /// Whether it speaks of the call that it names, so that the ends of the call are blamed and not its place.
    pub(crate) fn is_of_calls(self) -> bool {
        matches!(
            self,
            AlertKind::Latency | AlertKind::Asking | AlertKind::Error | AlertKind::Other
        )
    }

    /// In words, for evidence.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            AlertKind::State => "state",
            AlertKind::Absent => "absence",
            AlertKind::Log => "error log",
            AlertKind::LogDownstream => "log of a downstream failure",
            AlertKind::Change => "change",
            AlertKind::Resource => "resource",
            AlertKind::ResourceLow => "unusually idle resource",
            AlertKind::Latency => "latency",
            AlertKind::Asking => "latency of what it calls",
            AlertKind::Error => "errors",
            AlertKind::Traffic => "traffic",
            AlertKind::Other => "unclassified",
        }
    }
}

/// Sources that send log lines.
const LOG_SOURCES: [&str; 11] = [
    "logs",
    "log",
    "syslog",
    "loki",
    "graylog",
    "fluentd",
    "fluentbit",
    "sentry",
    "rollbar",
    "bugsnag",
    "journald",
];
/// First words of a log line.
const LOG_LEVELS: [&str; 6] = ["error", "err", "fatal", "warn", "panic", "emerg"];
/// Words of a log line that speak of something downstream.
const DOWNSTREAM: [&str; 9] = [
    "downstream",
    "upstream",
    "refused",
    "deadline",
    "unreachable",
    "timeout",
    "timedout",
    "unavailable",
    "connect",
];
/// That something was asked of another and did not come: `failed to retrieve ads`.
const ASKED: [&str; 7] = [
    "retrieve",
    "retrieving",
    "fetch",
    "fetching",
    "reach",
    "contact",
    "query",
];
const IN_VAIN: [&str; 5] = ["failed", "unable", "cannot", "couldn", "could"];
/// Words of a failure to find names.
const NAMES: [&str; 8] = [
    "dns",
    "nxdomain",
    "servfail",
    "getaddrinfo",
    "gaierror",
    "enotfound",
    "eai",
    "resolver",
];
/// Words beside which the finding of names is what fails.
const FAILED: [&str; 5] = ["failure", "failed", "failing", "fails", "temporary"];
/// Words of a failure to trust whom one talks to.
const CERTIFICATES: [&str; 5] = ["certificate", "certificates", "cert", "certs", "x509"];
/// Of what nothing is left.
const GONE: [&str; 4] = ["full", "exhausted", "exhaustion", "depleted"];
/// What is filled by what is kept, and not by what is asked.
const STORED: [&str; 7] = ["disk", "space", "storage", "filesystem", "fs", "volume", "inodes"];
/// What load fills, though it may be called a space: `heap space`, `swap space`.
const MEMORY: [&str; 5] = ["memory", "heap", "swap", "ram", "metaspace"];
/// Parts of which several do one work, so that one that is down fails the whole.
const PARTS: [&str; 6] = [
    "member",
    "members",
    "backend",
    "backends",
    "upstream",
    "upstreams",
];
/// Words of code that broke.
const CODE: [&str; 6] = [
    "exception",
    "panic",
    "traceback",
    "segfault",
    "stacktrace",
    "assertion",
];
/// What arrives.
const ARRIVALS: [&str; 11] = [
    "request",
    "requests",
    "throughput",
    "qps",
    "rps",
    "operations",
    "traffic",
    "messages",
    "invocations",
    "hits",
    "calls",
];
/// That it arrives too little or too much.
const AMOUNTS: [&str; 18] = [
    "no",
    "low",
    "drop",
    "dropped",
    "dropping",
    "drops",
    "spike",
    "spiked",
    "spikes",
    "missing",
    "zero",
    "surge",
    "decrease",
    "decreased",
    "increase",
    "increased",
    "fewer",
    "absent",
];
const CHANGES: [&str; 10] = [
    "deploy",
    "deployed",
    "deployment",
    "rollout",
    "rollback",
    "release",
    "released",
    "upgraded",
    "changed",
    "migration",
];
const SLOW: [&str; 23] = [
    "takes",
    "took",
    "latency",
    "latencies",
    "slow",
    "slowness",
    "duration",
    "durations",
    // Response time, and the mean of it.
    "rt",
    "mrt",
    "p50",
    "p90",
    "p95",
    "p99",
    "timeout",
    "timeouts",
    "apdex",
    "lcp",
    "delay",
    "slowdown",
    // What waits is done too slowly, and that may well be the fault of what the work needs.
    "lag",
    "lagging",
    "backlog",
];
/// That what is slow is not what it answers but what it is answered.
const ASKING: [&str; 7] = [
    "client",
    "upstream",
    "outbound",
    "outgoing",
    "egress",
    "dependency",
    "dependencies",
];
const DISK: [&str; 8] = [
    "disk",
    "diskio",
    "io",
    "iops",
    "fs",
    "filesystem",
    "volume",
    "fsync",
];
const STATES: [&str; 38] = [
    "exited",
    "crash",
    "crashed",
    "crashing",
    "crashloop",
    "crashlooping",
    "loop",
    "restart",
    "restarted",
    "restarting",
    "restarts",
    "oom",
    "oomkilled",
    "killed",
    "notready",
    "replicas",
    "replicated",
    "replication",
    "stuck",
    "expired",
    "expires",
    "expiry",
    "expiration",
    "evicted",
    "pending",
    "mismatch",
    "unhealthy",
    "degraded",
    "readonly",
    "corrupt",
    "corrupted",
    "terminated",
    "stopped",
    "leader",
    "quorum",
    "red",
    "split",
    "jammed",
];
const ABSENCES: [&str; 15] = [
    "down",
    "absent",
    "unreachable",
    "offline",
    "disappeared",
    "keepalive",
    "heartbeat",
    "vanished",
    "nodata",
    "unresponsive",
    "gone",
    "missing",
    "lost",
    "ping",
    "disconnected",
];
const RESOURCES: [&str; 42] = [
    "cpu",
    "memory",
    "mem",
    "disk",
    "diskio",
    "heap",
    "pool",
    "quota",
    "connections",
    "swap",
    "load",
    "inode",
    "inodes",
    "fd",
    "descriptors",
    "threads",
    "thread",
    "gc",
    "space",
    "storage",
    "filesystem",
    "fs",
    "volume",
    "utilization",
    "utilisation",
    "usage",
    "throttling",
    "throttled",
    "saturation",
    "bandwidth",
    "network",
    "rss",
    "paging",
    "pagefile",
    "temperature",
    "iops",
    "io",
    "fsync",
    "kernel",
    "core",
    "exhausted",
    "limit",
];
const LOW: [&str; 7] = ["low", "drop", "dropped", "drops", "decrease", "decreased", "idle"];
/// Low of these is a shortage, not idleness.
const SHORTAGE: [&str; 6] = ["free", "space", "available", "availability", "remaining", "left"];
const ERRORS: [&str; 25] = [
    "error",
    "errors",
    "5xx",
    "4xx",
    "500",
    "502",
    "503",
    "504",
    "availability",
    "fail",
    "fails",
    "failed",
    "failing",
    "failure",
    "failures",
    "unavailable",
    "refused",
    "rejected",
    "denied",
    "success",
    "burn",
    "budget",
    "slo",
    "invalid",
    "incorrect",
];

/// How a connection is not made.
const IN_NO_WAY: [&str; 6] = ["refused", "reset", "failed", "failing", "failure", "failures"];
/// Beside which that is because there are too many.
const USED_UP: [&str; 8] = [
    "many",
    "limit",
    "exhausted",
    "pool",
    "slots",
    "usage",
    "max",
    "free",
];

/// Work that may stand still because something else is in its way.
const WORK: [&str; 10] = [
    "writes",
    "reads",
    "queries",
    "transactions",
    "commits",
    "threads",
    "processes",
    "tasks",
    "jobs",
    "workers",
];

/// The kind of an alert. The title decides; the text only where the title says nothing.
pub(crate) fn kind_of(title: &str, text: &str, source: &str, labels: &Labels) -> AlertKind {
    let words = words(title);
    let is_log = LOG_SOURCES.iter().any(|s| source.eq_ignore_ascii_case(s))
        || words.first().is_some_and(|w| LOG_LEVELS.contains(&w.as_str()))
            && title.starts_with(|c: char| c == '[' || c.is_uppercase())
            && words.len() > 4
        || labels.get("loglevel").is_some();
    if is_log {
        let rpc = words.windows(2).any(|w| w[0] == "rpc" && w[1] == "error");
        let asked = |w: &[Text]| IN_VAIN.contains(&w[0].as_str()) && has(&w[1..], &ASKED);
        return if rpc || words.windows(3).any(asked) || has(&words, &DOWNSTREAM) {
            AlertKind::LogDownstream
        } else {
            AlertKind::Log
        };
    }
    match of_words(&words) {
        AlertKind::Other => of_words(&self::words(first_line(text))),
        kind => kind,
    }
}

/// The ground that an alert says is what failed: names that are not found, certificates that are not trusted. The text
/// is asked where the title says nothing of it.
pub(crate) fn said_ground(title: &str, text: &str) -> Option<&'static str> {
    let ground = |said: &str| {
        // Hardly any alert has one of the words, and this is asked of every symptom whenever causes are ranked.
        if said.is_ascii()
            && !NAMES
                .iter()
                .chain(&CERTIFICATES)
                .chain(&["host", "name", "misbehaving"])
                .any(|w| holds(said, w))
        {
            return None;
        }
        let words = words(said);
        if has(&words, &NAMES)
            || follow(&words, &["no", "such", "host"])
            // As the resolvers of the C library and of Go say it.
            || follow(&words, &["name", "resolution"]) && has(&words, &FAILED)
            || follow(&words, &["name", "or", "service", "not", "known"])
            || follow(&words, &["server", "misbehaving"]) && has(&words, &["lookup"])
            || follow(&words, &["resolve", "host"])
            || follow(&words, &["unknown", "host"])
        {
            Some("dns")
        } else if has(&words, &CERTIFICATES) {
            Some("certificate")
        } else {
            None
        }
    };
    ground(title).or_else(|| ground(first_line(text)))
}

/// Whether a title says that something has run out, so that what needs it does not work any more.
pub(super) fn ran_out(title: &str) -> bool {
    let words = words(title);
    has(&words, &GONE) || follow(&words, &["out", "of"]) || follow(&words, &["no", "space"])
}

/// Whether an alert of this kind says that its thing failed of itself: it is down, or hardly anything is left of what no load
/// uses up, as its disk. What load uses up may be the doing of those who call.
pub(crate) fn breaks_by_itself(kind: AlertKind, title: &str, severity: Severity) -> bool {
    let fills = || {
        let words = words(title);
        has(&words, &STORED) && !has(&words, &SLOW) && !has(&words, &MEMORY)
    };
    severity >= Severity::Error && kind.is_down()
        || kind == AlertKind::Resource
            && fills()
            && (severity == Severity::Critical || severity == Severity::Error && ran_out(title))
}

fn of_words(words: &[Text]) -> AlertKind {
    if has(words, &CODE) {
        return AlertKind::Log;
    }
    if near(words, &ARRIVALS, &AMOUNTS) && !has(words, &ERRORS) && !has(words, &SLOW) {
        return AlertKind::Traffic;
    }
    if near(words, &["consumer", "consumers"], &["no"]) && !has(words, &SLOW) {
        // Nobody takes from it: that is for those to answer who should.
        return AlertKind::Traffic;
    }
    // A pool of these is no pool of threads, and runs short of nothing but of those that are well.
    if PARTS.iter().any(|part| {
        ["down", "unhealthy", "pool"]
            .iter()
            .any(|state| pair(words, part, state))
            || pair(words, "pool", part)
    }) {
        return AlertKind::Error;
    }
    if has(words, &CHANGES) && !has(words, &ERRORS) && !has(words, &STATES) && !has(words, &SLOW) {
        return AlertKind::Change;
    }
    if (has(words, &SLOW)
        || pair(words, "response", "time")
        || words.iter().any(|w| *w == "responsetime")
        || follow(words, &["too", "many", "messages"]))
        && !has(words, &DISK)
    {
        let asks = has(words, &ASKING) && !pair(words, "client", "facing");
        return if asks {
            AlertKind::Asking
        } else {
            AlertKind::Latency
        };
    }
    let resource = has(words, &RESOURCES);
    if has(words, &STATES) && !(resource && has(words, &["degraded", "limit"]))
        || pair(words, "not", "ready")
        || pair(words, "not", "running")
        || pair(words, "ready", "not")
        || pair(words, "healthy", "host")
    {
        return AlertKind::State;
    }
    if has(words, &ABSENCES)
        || pair(words, "no", "data")
        || pair(words, "not", "responding")
        || pair(words, "no", "result")
    {
        return AlertKind::Absent;
    }
    // Connections that cannot be made are no shortage of them: whoever is asked does not answer.
    let used_up = has(words, &USED_UP) || follow(words, &["out", "of"]);
    if has(words, &["connection", "connections"]) && has(words, &IN_NO_WAY) && !used_up {
        return AlertKind::Error;
    }
    let awaits = |whom| follow(words, &[whom, "timed", "out"]);
    if (awaits("connection") || awaits("connections")) && !used_up {
        return AlertKind::Latency;
    }
    if resource {
        let low = has(words, &LOW) && !has(words, &SHORTAGE);
        return if low {
            AlertKind::ResourceLow
        } else {
            AlertKind::Resource
        };
    }
    if has(words, &ERRORS) {
        return AlertKind::Error;
    }
    // That something timed out says least: a host that is down answers no ping in time, either.
    if has(words, &["stalled", "hung"]) || work_is_blocked(words) || pair(words, "timed", "out") {
        return AlertKind::Latency;
    }
    AlertKind::Other
}

/// Whether work is said to be blocked, and not by somebody who means to, as an attack or a sender is.
fn work_is_blocked(words: &[Text]) -> bool {
    words.windows(2).enumerate().any(|(i, w)| {
        let by = words.get(i + 2).is_some_and(|next| *next == "by");
        w[1] == "blocked" && WORK.contains(&w[0].as_str()) && !by
    })
}

fn has(words: &[Text], list: &[&str]) -> bool {
    words.iter().any(|w| list.contains(&w.as_str()))
}

fn pair(words: &[Text], a: &str, b: &str) -> bool {
    words.windows(2).any(|w| w[0] == a && w[1] == b)
}

/// Whether these words follow each other.
fn follow(words: &[Text], these: &[&str]) -> bool {
    words
        .windows(these.len())
        .any(|w| w.iter().zip(these).all(|(w, t)| *w == *t))
}

/// Whether a word of each list stand at most two words apart.
fn near(words: &[Text], these: &[&str], those: &[&str]) -> bool {
    words.iter().enumerate().any(|(i, w)| {
        these.contains(&w.as_str())
            && words
                .iter()
                .enumerate()
                .any(|(j, v)| i.abs_diff(j) <= 3 && those.contains(&v.as_str()))
    })
}

/// Whether a text has these letters, in any case.
fn holds(text: &str, letters: &str) -> bool {
    text.as_bytes()
        .windows(letters.len())
        .any(|w| w.eq_ignore_ascii_case(letters.as_bytes()))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// Words looked at; what follows is detail.
const WORDS_MAX: usize = 40;

/// Lower-case words of a text: CamelCase, digits-and-letters and separators split, URLs, paths and placeholders left
/// out.
fn words(text: &str) -> Vec<Text> {
    let mut out: Vec<Text> = Vec::new();
    for token in text.split_whitespace() {
        if out.len() >= WORDS_MAX {
            break;
        }
        let token = token.trim_matches(|c: char| matches!(c, '(' | ')' | '[' | ']' | ',' | ';' | '"' | '\''));
        // A URL, a path of a file or of a call, or a placeholder such as `<host>` names a place, not a condition.
        if token.contains("://")
            || token.starts_with('/')
            || token.contains('<')
            || token.matches('/').count() >= 2
        {
            continue;
        }
        for part in token.split(|c: char| !c.is_alphanumeric()) {
            split_camel(part, &mut out);
        }
    }
    out
}

/// Splits `HTTPErrorRate5xx` into `http error rate 5xx`.
fn split_camel(part: &str, out: &mut Vec<Text>) {
    let chars: Vec<char> = part.chars().collect();
    let mut word = Text::default();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let after = chars.get(i + 1);
        let edge = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase() || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if edge && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        word.extend(c.to_lowercase());
    }
    if !word.is_empty() {
        out.push(word);
    }
}

#[cfg(test)]
mod tests;
