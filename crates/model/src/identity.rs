//! What makes two records the same event, and two events the same alert, when the sender does not say.
//!
//! The fallback key hashes raw sender fields only, through a fixed mask, never a learned template or a resolved name:
//! a resolve must meet its firing although topology or learning moved on between them. It has two halves, what the alert
//! is about and what it says, so that it can be told from a sender's key, and from that of the same place in other words,
//! by the key and the title alone. `KEY_VERSION` changes when every key does. A word more in the mask or in a list below changes the keys only of what has it: whatever else fires while
//! a new version is rolled out meets its recovery.

use crate::{
    Event, Hash128, Labels, Text,
    condition::{condition, strip_status_prefix},
    mask,
    memo::Memo,
};

/// A dedup key is at most this long, in bytes; longer ones keep a readable prefix and end in a hash.
pub const KEY_BYTES_MAX: usize = 255;

const KEY_VERSION: &str = "key/3";

/// Hexadecimal digits of each half of a derived key.
const HALF: usize = 16;

/// A title of one word is a name up to this length, whatever digits are in it.
const NAME_BYTES_MAX: usize = 12;

/// So many digits for themselves count something.
const COUNT_DIGITS: usize = 4;

/// Labels that name who measured or how, never what broke: two halves of a replicated monitor, or an exporter that
/// was rescheduled, report the same alert.
fn is_observer(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"replica"
            | b"prometheus"
            | b"prometheus_replica"
            | b"__replica__"
            | b"receive"
            | b"tenant_id"
            | b"uid"
            | b"scrape_job"
            | b"collector"
            | b"otel_scope_version"
    )
}

/// What names the observer in the labels of a scrape. Anywhere else they are what somebody wrote down to tell what broke.
const SCRAPE_LABELS: [&str; 2] = ["monitor", "endpoint"];

/// Labels that a scrape, or the rules over it, gives to whatever it finds; and so does a name of two underscores.
const SCRAPE_MARKS: [&str; 4] = ["job", "alertname", "prometheus", "prometheus_replica"];

/// Labels that carry a reading, a time or free words rather than a name.
fn is_reading_label(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"value"
            | b"current_value"
            | b"current"
            | b"threshold"
            | b"limit"
            | b"severity"
            | b"priority"
            | b"level"
            | b"status"
            | b"state"
            | b"alertstate"
            | b"message"
            | b"description"
            | b"summary"
            | b"text"
            | b"timestamp"
            | b"time"
            | b"date"
            | b"duration"
            | b"event_id"
            | b"count"
            | b"trace_id"
            | b"span_id"
    )
}

/// Labels under this prefix are a sender's annotations: free words, written anew with every evaluation.
const NOTES: &str = "annotation.";

/// Labels under this prefix are our own remarks.
const OURS: &str = "stormfold.";

/// Labels that name the observed thing only when nothing better does.
const SUBJECT_LABELS: [&str; 7] = [
    "pod",
    "instance",
    "pod_name",
    "pod_ip",
    "podip",
    "pod_uid",
    "container_id",
];

/// The fallback identity of an alert, from raw sender fields.
pub fn dedup_key(event: &Event) -> Text {
    derived_key(&Keyed::of(event, &event.labels))
}

/// Fallback identities; those of late are remembered.
#[derive(Clone, Debug, Default)]
pub struct Keys(Memo<Text>);

impl Keys {
    /// The fallback identity of an alert of which only these labels tell what it is about.
    pub fn derive(&mut self, event: &Event, labels: &Labels) -> Text {
        let keyed = Keyed::of(event, labels);
        self.0.of(|input| keyed.write(input), || derived_key(&keyed))
    }
}

/// All of an event that its derived key is made of.
struct Keyed<'a> {
    source: &'a str,
    title: &'a str,
    service: Option<&'a str>,
    host: Option<&'a str>,
    entities: &'a Labels,
    labels: &'a Labels,
    /// The labels that tell what it is about.
    about: &'a Labels,
}

impl<'a> Keyed<'a> {
    fn of(event: &'a Event, about: &'a Labels) -> Keyed<'a> {
        Keyed {
            source: &event.source,
            title: &event.title,
            service: event.service.as_deref(),
            host: event.host.as_deref(),
            entities: &event.entities,
            labels: &event.labels,
            about,
        }
    }

    /// Writes all of it down so that no two read alike.
    fn write(&self, to: &mut Vec<u8>) {
        // Nothing is remembered of what is too long for such a number.
        let number = |to: &mut Vec<u8>, n: usize| to.extend_from_slice(&(n as u16).to_le_bytes());
        let part = |to: &mut Vec<u8>, text: &str| {
            number(to, text.len());
            to.extend_from_slice(text.as_bytes());
        };
        part(to, self.source);
        part(to, self.title);
        for name in [self.service, self.host] {
            number(to, usize::from(name.is_some()));
            part(to, name.unwrap_or_default());
        }
        let own = std::ptr::eq(self.about, self.labels);
        let lists = [self.entities, self.labels, self.about];
        for list in &lists[..if own { 2 } else { 3 }] {
            number(to, list.len());
            for (name, value) in list.iter() {
                part(to, name);
                part(to, value);
            }
        }
    }
}

fn derived_key(event: &Keyed<'_>) -> Text {
    let source = source_of(event.source);
    let mut key = Text::with_capacity(source.len() + 1 + 2 * HALF);
    key.push_str(source);
    key.push(':');
    key.push_str(&about(event));
    key.push_str(&said(event.title));
    key
}

/// Whether the key of an event was derived and not given by its sender: it says what the title says.
pub fn is_derived(event: &Event) -> bool {
    may_be_derived(event).is_some_and(|says| says == said(&event.title))
}

/// What the title would say if the key was derived, by the key; `None` where it cannot have been.
fn may_be_derived(event: &Event) -> Option<&str> {
    let (source, halves) = event.dedup_key.rsplit_once(':')?;
    let derived = halves.len() == 2 * HALF
        && source == source_of(&event.source)
        && halves.bytes().all(|b| b.is_ascii_hexdigit());
    derived.then(|| &halves[HALF..])
}

/// What titles say; those of late are remembered.
#[derive(Clone, Debug, Default)]
pub struct Titles {
    said: Memo<Text>,
    templates: Memo<Text>,
}

impl Titles {
    /// The same as [`is_derived`].
    pub fn is_derived(&mut self, event: &Event) -> bool {
        may_be_derived(event).is_some_and(|says| {
            let write = |input: &mut Vec<u8>| input.extend_from_slice(event.title.as_bytes());
            says == self.said.of(write, || said(&event.title))
        })
    }

    /// The same as [`template`].
    pub fn template(&mut self, title: &str) -> Text {
        let write = |input: &mut Vec<u8>| input.extend_from_slice(title.as_bytes());
        self.templates.of(write, || template(title))
    }
}

/// What a title says whatever its state and numbers: the same of alerts of one kind.
pub fn template(title: &str) -> Text {
    mask(strip_status_prefix(title))
}

/// Whether a key is that of the event but for the words of its title.
pub fn is_about_the_same(event: &Event, key: &str) -> bool {
    let own = &event.dedup_key;
    let about = own.len().saturating_sub(HALF);
    own.len() == key.len() && own.as_bytes()[..about] == key.as_bytes()[..about] && is_derived(event)
}

fn source_of(source: &str) -> &str {
    prefix(source, 40)
}

/// What a title says, hashed.
fn said(title: &str) -> Text {
    let condition = condition(title);
    let said = if is_name(&condition) {
        condition
    } else {
        mask(&condition)
    };
    Hash128::new("said").part(said.as_bytes()).half()
}

/// `E1001` and `p99` are names, although the mask sees readings in them. `cpu=90%` has one, and `run-12345` counts; but
/// behind capitals, as in `ORA-00600`, a number is that of a fault.
fn is_name(title: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let random = title.len() >= 8 && title.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let (mut before, mut counts) = ("", false);
    for part in title.split(['-', '_']) {
        let is_long = part.len() >= COUNT_DIGITS && part.bytes().all(|b| b.is_ascii_digit());
        let is_fault = !before.is_empty() && before.chars().all(char::is_uppercase);
        counts |= is_long && !is_fault;
        before = part;
    }
    title.len() <= NAME_BYTES_MAX
        && title.starts_with(char::is_alphabetic)
        && title.chars().all(in_name)
        && !random
        && !counts
}

/// What an alert is about, hashed.
fn about(event: &Keyed<'_>) -> Text {
    let labels = event.about;
    let mut hash = Hash128::new(KEY_VERSION);
    hash.part(event.source.as_bytes());
    hash.maybe(event.service.map(str::as_bytes));
    // Names of hosts differ by case in no resolver (RFC 4343), but they do from one report of a tool to the next.
    let host = event.host.map(str::to_ascii_lowercase);
    hash.maybe(host.as_deref().map(str::as_bytes));
    let scraped = is_scrape(labels);
    for (kind, name) in event.entities.iter() {
        if names_subject(kind, name, event, scraped) {
            hash.part(kind.as_bytes()).part(name.as_bytes());
        }
    }
    if event.service.is_none() && event.host.is_none() && event.entities.is_empty() {
        // Nothing else says of what it is.
        for address in addresses(&condition(event.title)) {
            hash.part(address.as_bytes());
        }
    }
    hash.part(b"labels");
    for (name, value) in labels.iter() {
        let lower = name.to_ascii_lowercase();
        if is_observer(&lower) || is_reading_label(&lower) {
            continue;
        }
        if scraped && SCRAPE_LABELS.contains(&lower.as_str()) {
            continue;
        }
        if lower.starts_with(NOTES) || lower.starts_with(OURS) {
            continue;
        }
        // A pod or instance that is not among the entities is the observer's.
        if scraped && matches!(name, "pod" | "instance") && event.entities.get(name) != Some(value) {
            continue;
        }
        if event.entities.get(name) == Some(value)
            || !names_subject(&lower, value, event, scraped)
            || is_reading(value)
        {
            continue;
        }
        hash.part(name.as_bytes()).part(value.as_bytes());
    }
    hash.half()
}

/// The addresses that a text names, without their ports.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':')));
    words
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter_map(|word| {
            let is_whole = word.len() >= "::1".len() && word.parse::<std::net::IpAddr>().is_ok();
            let mut parts = word.split(':');
            match is_whole {
                true => Some(word),
                false => parts.find(|part| part.parse::<std::net::Ipv4Addr>().is_ok()),
            }
        })
}

/// Whether labels are those of a scrape, which name the exporter beside what broke.
fn is_scrape(labels: &Labels) -> bool {
    let is_mark = |name: &str| name.starts_with("__") || SCRAPE_MARKS.contains(&name);
    labels.iter().any(|(name, _)| is_mark(name))
}

/// Whether a pod, container or instance name tells what broke: of a scrape it does when nothing better is named, or when
/// it is a part of the service or host that is.
fn names_subject(kind: &str, name: &str, event: &Keyed<'_>, scraped: bool) -> bool {
    if !scraped && matches!(kind, "pod" | "container" | "instance") {
        return true;
    }
    if kind == "container" {
        return is_container_of_subject(name, event);
    }
    if !SUBJECT_LABELS.contains(&kind) {
        return true;
    }
    let part_of = |whole: Option<&str>| {
        whole.is_none_or(|whole| {
            name.len() >= whole.len() && name.as_bytes()[..whole.len()].eq_ignore_ascii_case(whole.as_bytes())
        })
    };
    match (event.service, event.host) {
        (None, None) => true,
        (service, None) => part_of(service),
        (None, host) => part_of(host),
        (service, host) => part_of(service) || part_of(host),
    }
}

/// Whether a container is one of the pod that broke, and not that of the exporter that tells of it.
fn is_container_of_subject(name: &str, event: &Keyed<'_>) -> bool {
    let is_observer = event.labels.get("job").is_some_and(|job| job == name);
    let pod = event.entities.get("pod");
    !is_observer && pod.is_some_and(|pod| names_subject("pod", pod, event, true))
}

/// Whether a label's value is a measurement, a time or a random id rather than a name.
fn is_reading(value: &str) -> bool {
    let bytes = value.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let decimal = digits > 0
        && value.contains('.')
        && value
            .trim_end_matches(['%', 's', 'm', ' '])
            .parse::<f64>()
            .is_ok();
    let stamp = bytes.len() >= 16
        && digits >= 12
        && bytes
            .iter()
            .all(|b| !b.is_ascii_alphabetic() || matches!(b, b'T' | b'Z'));
    let epoch = bytes.len() >= 10 && digits == bytes.len();
    let random = bytes.len() >= 32 && bytes.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    decimal || stamp || epoch || random
}

/// Identity of an event whose sender gives none: source, dedup key, status, `ts`, title and text.
///
/// `stamped` says whether the sender stamped this state itself; when it did not, the time of receipt tells its
/// repeats apart.
pub fn event_id(event: &Event, stamped: bool) -> Text {
    let mut hash = Hash128::new("event/1");
    hash.part(event.source.as_bytes())
        .part(event.dedup_key.as_bytes())
        .part(&[event.status as u8, event.kind as u8]);
    let time = if stamped { event.ts } else { event.received_at };
    hash.part(&time.nanos().to_le_bytes())
        .part(event.title.as_bytes())
        .part(event.text.as_bytes());
    hash.hex()
}

/// The first `max` bytes, cut at a character boundary.
fn prefix(text: &str, max: usize) -> &str {
    if text.len() <= max {
        text
    } else {
        &text[..text.floor_char_boundary(max)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Status, Time};

    fn event(title: &str, labels: &[(&str, &str)]) -> Event {
        let mut event = Event {
            source: "probe".into(),
            title: title.into(),
            service: Some("orders".into()),
            ..Event::bare(Status::Firing, Time::from_nanos(0))
        };
        for (name, value) in labels {
            event.labels.set(*name, *value);
        }
        event
    }

    fn keyed(title: &str, labels: &[(&str, &str)]) -> Event {
        let mut event = event(title, labels);
        event.dedup_key = dedup_key(&event);
        event
    }

    #[test]
    fn a_derived_key_is_told_from_that_of_a_sender() {
        let mut derived = keyed("DatabaseDegraded", &[("tier", "1")]);
        assert!(is_derived(&derived));
        derived.labels.set("added_by_a_table", "x");
        assert!(is_derived(&derived), "what was added later changes nothing");
        derived.title = "DatabaseOffline".into();
        assert!(!is_derived(&derived), "the key says something else");
        for given in [
            "DatabaseDegraded",
            "probe:7",
            "",
            "probe:0123456789abcdef0123456789abcdef",
        ] {
            let mut event = event("DatabaseDegraded", &[]);
            event.dedup_key = given.into();
            assert!(!is_derived(&event), "{given}");
        }
    }

    #[test]
    fn what_is_remembered_of_titles_is_what_they_say() {
        let mut titles = Titles::default();
        let mut given = keyed("DatabaseDegraded", &[]);
        given.title = "DatabaseOffline".into();
        let events = [keyed("CPU at 94 %", &[]), keyed("CPU at 95 %", &[]), given];
        for event in events.iter().chain(&events) {
            assert_eq!(titles.is_derived(event), is_derived(event), "{}", event.title);
            assert_eq!(titles.template(&event.title), template(&event.title));
        }
    }

    #[test]
    fn keys_of_one_place_in_other_words_are_known() {
        let recovery = keyed("DatabaseRecovered", &[("tier", "1")]);
        let of = |title, tier| keyed(title, &[("tier", tier)]).dedup_key;
        assert!(is_about_the_same(&recovery, &of("DatabaseDegraded", "1")));
        assert!(!is_about_the_same(&recovery, &of("DatabaseDegraded", "2")));
        assert!(!is_about_the_same(&recovery, "probe:7"));
    }

    #[test]
    fn an_address_is_what_a_title_is_about_with_or_without_a_port() {
        let bare = |title: &str| {
            let mut event = event(title, &[]);
            event.service = None;
            dedup_key(&event)
        };
        for (one, other) in [
            ("10.0.0.7 unreachable", "10.0.0.8 unreachable"),
            ("10.0.0.7:9100 unreachable", "10.0.0.8:9100 unreachable"),
            ("tcp://10.0.0.7:9100/ is down", "tcp://10.0.0.8:9100/ is down"),
            ("service:10.0.0.7 is down", "service:10.0.0.8 is down"),
            ("[2001:db8::1]:9100 is down", "[2001:db8::2]:9100 is down"),
        ] {
            assert_ne!(bare(one), bare(other), "{one}");
        }
        for (one, other) in [
            ("10.0.0.7:51000 is down", "10.0.0.7:51001 is up"),
            ("[2001:db8::1]:51000 is down", "[2001:db8::1]:51001 is up"),
            ("failed at 10:00:07", "failed at 10:00:08"),
        ] {
            assert_eq!(bare(one), bare(other), "{one}");
        }
    }

    #[test]
    fn what_somebody_wrote_down_tells_what_broke_and_the_labels_of_a_scrape_who_saw_it() {
        for name in ["endpoint", "monitor", "pod", "container", "instance"] {
            let of = |value, more: &[(&str, &str)]| {
                let as_label = keyed("Slow", &[&[(name, value)], more].concat()).dedup_key;
                let mut as_entity = event("Slow", more);
                as_entity.entities.set(name, value);
                as_entity.labels.set(name, value);
                (as_label, dedup_key(&as_entity))
            };
            let (one, other) = (of("checkout", &[]), of("login", &[]));
            assert_ne!(one.0, other.0, "{name}");
            assert_ne!(one.1, other.1, "{name}");
            for mark in [("job", "probe"), ("prometheus", "a/b"), ("__address__", "a")] {
                assert_eq!(
                    of("checkout", &[mark]).0,
                    of("login", &[mark]).0,
                    "{name} {}",
                    mark.0
                );
            }
        }
    }

    #[test]
    fn a_word_is_a_name_whatever_digits_it_has() {
        for (one, other) in [
            ("E1001", "E1002"),
            ("ORA-00600", "ORA-00060"),
            ("5xx", "4xx"),
            ("p99", "p50"),
            ("web-07", "web-08"),
            ("disk_full_3", "disk_full_4"),
        ] {
            assert_ne!(said(one), said(other), "{one}");
        }
        for (one, other) in [
            ("cpu=90%", "cpu=97%"),
            ("lag=94s", "lag=12s"),
            ("used(93%)", "used(94%)"),
            ("disk@93%", "disk@94%"),
            ("job#8812", "job#8813"),
            ("run-12345", "run-12346"),
            ("q=12345", "q=12346"),
        ] {
            assert_eq!(said(one), said(other), "{one}");
        }
        assert_eq!(said("lag 94s"), said("lag 12s"));
        assert_eq!(said("CPU 94 %"), said("CPU 95 %"));
    }
}
