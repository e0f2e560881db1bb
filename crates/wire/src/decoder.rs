//! From bytes to what they hold. Total: whatever comes in, something understood or a reason goes out.

use std::cell::RefCell;

use model::{Keys, Text, Time};
use serde::Deserialize as _;
use serde_json::Value;

use crate::{
    draft::Context,
    form,
    found::{Found, Raw, Rejection, Stage},
    inflate::inflate,
    mapping::Mappings,
    native::{self, Native},
    pairs,
    source::{Sink, alertmanager, cloudevents, generic, snmptrap, syslog},
    tables::Tables,
};

/// Settings of a decoder.
#[derive(Clone, Debug)]
pub struct DecodeSettings {
    /// Bodies larger than this are refused, in bytes. Default 4 MiB.
    pub body_bytes_max: usize,
    /// At most this many things are read from one body; the rest is refused in one rejection. Default 10,000.
    pub found_max: usize,
    /// The time of an event that names none, in a body that was received at no known time. Default 1970.
    pub undated: Time,
    /// The label whose value is the tenant of events that name none.
    pub tenant_label: Option<Text>,
    /// The label whose value is the environment of events that name none.
    pub environment_label: Option<Text>,
    /// Formats of one's own; they are tried before the sources.
    pub mappings: Mappings,
    /// What is added to events.
    pub tables: Tables,
}

impl Default for DecodeSettings {
    fn default() -> DecodeSettings {
        DecodeSettings {
            body_bytes_max: 4 << 20,
            found_max: 10_000,
            undated: Time::from_secs(0),
            tenant_label: None,
            environment_label: None,
            mappings: Mappings::default(),
            tables: Tables::default(),
        }
    }
}

/// Reads bodies of any known source. Pure: the same bytes give the same things, whatever it read before.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    settings: DecodeSettings,
    keys: RefCell<Keys>,
}

impl Decoder {
    /// A decoder with these settings.
    pub fn new(settings: DecodeSettings) -> Decoder {
        Decoder {
            settings,
            keys: RefCell::default(),
        }
    }

    /// Adds by other tables from now on.
    pub fn set_tables(&mut self, tables: Tables) {
        self.settings.tables = tables;
    }

    /// Appends what a body holds: at least one thing, if only a rejection.
    pub fn decode(&self, raw: &Raw<'_>, out: &mut Vec<Found>) {
        let context = Context {
            origin: &raw.origin,
            received_at: raw.received_at,
            undated: self.settings.undated,
            tenant: raw.tenant.filter(|tenant| !tenant.is_empty()),
            tenant_label: self.settings.tenant_label.as_deref(),
            environment_label: self.settings.environment_label.as_deref(),
            tables: &self.settings.tables,
            keys: &self.keys,
        };
        let max = self.settings.found_max;
        let mut sink = Sink::new(context, max, out);
        if let Err(rejection) = self.body(raw, &mut sink) {
            sink.reject(rejection);
        }
        if sink.count() == 0 {
            sink.reject(Rejection::new(Stage::Read, "the body holds nothing"));
        }
        let over = sink.over();
        if over > 0 {
            out.push(Found::Rejected(Rejection::new(
                Stage::Read,
                format!("{over} more beyond the limit of {max} in one body"),
            )));
        }
    }

    fn body(&self, raw: &Raw<'_>, sink: &mut Sink<'_>) -> Result<(), Rejection> {
        let bytes = inflate(raw.bytes, self.settings.body_bytes_max)?;
        let text = self
            .text(&bytes)
            .map_err(|rejection| named_by(raw.content_type, rejection))?;
        if raw.source.is_none() && cloudevents::is_binary(&raw.cloud_event) {
            cloudevents::binary(&raw.cloud_event, text, sink);
            return Ok(());
        }
        let first = text.as_bytes().first();
        match first {
            Some(b'{' | b'[') => self.json(text, raw.source, sink),
            // A body that its sender wrote as JSON twice.
            Some(b'"') if let Ok(inner) = serde_json::from_str::<String>(text) => {
                self.json(inner.trim(), raw.source, sink)
            }
            _ if syslog::may_be(text) => {
                syslog::lines_of(text, sink);
                Ok(())
            }
            _ if syslog::is_bare(text) => {
                syslog::bare_lines_of(text, sink);
                Ok(())
            }
            _ if text.starts_with("snmp_trap,") || text.starts_with("syslog,") => {
                for line in text.lines().filter(|l| !l.trim().is_empty()) {
                    match snmptrap::line_protocol(line) {
                        Some(value) => self.value(&value, None, sink),
                        None => sink.reject(Rejection::new(Stage::Parse, "not line protocol")),
                    }
                }
                Ok(())
            }
            _ if form::may_be(text) => match form::value(text) {
                Some(value) => {
                    self.value(&value, raw.source, sink);
                    Ok(())
                }
                None => Err(Rejection::new(Stage::Parse, "a form that is encoded wrongly")),
            },
            _ if let Some(lines) = pairs::logged(text) => {
                for (line, value) in lines {
                    match value {
                        Some(value) => self.value(&value, raw.source, sink),
                        None => {
                            let at = line.as_ptr() as usize - text.as_ptr() as usize;
                            sink.reject(Rejection::new(Stage::Parse, "not a line of `name=value`").at(at));
                        }
                    }
                }
                Ok(())
            }
            _ if let Some(value) = pairs::message(text)
                && generic::decode(&value, raw.source, sink) =>
            {
                Ok(())
            }
            // Plain text is an alert only where its sender says that text is what it sends, and the text speaks of
            // something that broke or was mended: anything else without structure is as likely a broken template or
            // the error page of a proxy.
            _ if is_plain_text(raw, text) && generic::decode(&said(text), raw.source, sink) => Ok(()),
            _ => {
                let shown: String = text.chars().take(24).collect();
                let reason = format!("neither JSON nor syslog nor a form; begins with {shown:?}");
                let rejection = Rejection::new(Stage::Parse, reason).at(0);
                Err(named_by(raw.content_type, rejection))
            }
        }
    }

    /// The body as text, without a byte order mark and surrounding blanks.
    fn text<'r>(&self, bytes: &'r [u8]) -> Result<&'r str, Rejection> {
        let frame = |reason: &str| Rejection::new(Stage::Frame, reason);
        if bytes.len() > self.settings.body_bytes_max {
            let max = self.settings.body_bytes_max;
            return Err(frame(&format!(
                "{} bytes, more than the limit of {max}",
                bytes.len()
            )));
        }
        match bytes {
            [] => return Err(frame("empty body")),
            [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                return Err(frame("compressed more than once"));
            }
            [0, a, b, c, d, _, ..] => {
                let id = u32::from_be_bytes([*a, *b, *c, *d]);
                let what = "framed for a schema registry (Confluent wire format)";
                return Err(frame(&format!(
                    "{what}, schema id {id}: Avro and Protobuf are not read"
                )));
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(frame("UTF-16, expected UTF-8")),
            _ => {}
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|e| frame("not UTF-8").at(e.valid_up_to()))?
            .trim_start_matches('\u{feff}')
            .trim();
        if text.is_empty() {
            Err(frame("empty body"))
        } else {
            Ok(text)
        }
    }

    /// One JSON text, or several behind each other.
    fn json(&self, text: &str, forced: Option<&str>, sink: &mut Sink<'_>) -> Result<(), Rejection> {
        if one_per_line(text) {
            for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
                let offset = line.as_ptr() as usize - text.as_ptr() as usize;
                if let Err(mut rejection) = self.document(line, forced, sink) {
                    rejection.offset = Some(rejection.offset.unwrap_or(0) + offset as u64);
                    sink.reject(rejection);
                }
                if sink.count() > self.settings.found_max {
                    break;
                }
            }
            return Ok(());
        }
        self.document(text, forced, sink)
    }

    fn document(&self, text: &str, forced: Option<&str>, sink: &mut Sink<'_>) -> Result<(), Rejection> {
        let own = self.settings.mappings.may_take(forced);
        if !own && forced.is_none_or(|f| matches!(f, "native" | "stormfold")) && native::may_be(text) {
            let mut reader = serde_json::Deserializer::from_str(text);
            if let Ok(native) = Native::deserialize(&mut reader)
                && native.is_one()
                && reader.end().is_ok()
            {
                sink.native_draft(native.draft, || serde_json::from_str(text));
                return Ok(());
            }
        }
        if !own
            && forced.is_none_or(|f| matches!(f, "alertmanager" | "prometheus" | "grafana"))
            && alertmanager::fast(text, sink)
        {
            return Ok(());
        }
        let values = values(text)?;
        for value in &values {
            self.value(value, forced, sink);
        }
        Ok(())
    }

    fn value(&self, value: &Value, forced: Option<&str>, sink: &mut Sink<'_>) {
        if self.settings.mappings.decode(value, forced, sink) {
            return;
        }
        if forced.is_none_or(|f| matches!(f, "native" | "stormfold")) && sink.native(value) {
            return;
        }
        if sink.route(value, forced) {
            return;
        }
        // A name that no source has is the sender's own: the shape still decides how it is read.
        if value.is_object() && generic::decode(value, forced, sink) {
            return;
        }
        match value {
            Value::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    match item {
                        Value::Object(_) => self.value(item, forced, sink),
                        Value::String(text) if let Some(inner) = generic::carried::written(text) => {
                            self.value(&inner, forced, sink);
                        }
                        _ => sink.unreadable(&i.to_string(), "not an object"),
                    }
                    if sink.count() > self.settings.found_max {
                        return;
                    }
                }
            }
            Value::Object(map) => {
                let names: Vec<&str> = map.keys().map(String::as_str).take(8).collect();
                let reason = format!("no source has this shape (fields: {})", names.join(", "));
                sink.reject(Rejection::new(Stage::Detect, reason));
            }
            _ => sink.reject(Rejection::new(
                Stage::Detect,
                "an empty array, or a value that is no object",
            )),
        }
    }
}

/// Whether the sender calls its body plain text, and it is none of what is made for machines.
fn is_plain_text(raw: &Raw<'_>, text: &str) -> bool {
    let kind = raw.content_type.unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/plain") && !text.starts_with('<')
}

/// A text as the one field of a body; its first line is the title.
fn said(text: &str) -> Value {
    serde_json::json!({ "text": text })
}

/// A rejection that says what the transport called the bytes, where that explains it.
fn named_by(content_type: Option<&str>, mut rejection: Rejection) -> Rejection {
    let kind = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let unread = ["protobuf", "avro", "msgpack", "xml", "octet-stream", "grpc"]
        .iter()
        .any(|form| kind.contains(form));
    if unread && kind.len() <= 64 {
        rejection.reason = format!("{kind} is not read, send JSON: {}", rejection.reason);
    }
    rejection
}

/// Whether a body holds one JSON object per line. The last line may be cut off; that costs only that line.
fn one_per_line(text: &str) -> bool {
    let Some((first, rest)) = text.split_once('\n') else {
        return false;
    };
    let first = first.trim_end();
    first.starts_with('{')
        && first.ends_with('}')
        && first.len() > 2
        && rest
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .all(|l| l.starts_with('{'))
}

/// The JSON values of a text: one, or several with nothing but blanks between. What is not quite JSON is mended once, in
/// one pass, and no further: a body decides neither how deep nor how often this goes.
fn values(text: &str) -> Result<Vec<Value>, Rejection> {
    strictly(text).or_else(|rejection| {
        let mended = mended(text);
        let whole = without_lone_surrogates(mended.as_deref().unwrap_or(text)).or(mended);
        // The places of the first rejection are those of what was sent.
        whole.and_then(|whole| strictly(&whole).ok()).ok_or(rejection)
    })
}

fn strictly(text: &str) -> Result<Vec<Value>, Rejection> {
    let mut values = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    while let Some(item) = stream.next() {
        match item {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => values.push(value),
            Ok(_) => {
                let offset = stream.byte_offset();
                return Err(Rejection::new(Stage::Parse, "expected an object or an array").at(offset));
            }
            Err(error) => return Err(syntax(text, &error)),
        }
    }
    Ok(values)
}

/// The text as its sender meant it, where a template or a program wrote what is not quite JSON: `NaN` and `Infinity` as
/// `null`, no commas behind the last of a list, and line ends within a text written as JSON writes them. `None` when there
/// is nothing of the sort.
fn mended(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut from, mut i) = (String::new(), 0, 0);
    let mut is_in_text = false;
    while i < bytes.len() {
        // What stands there instead, and how long it is.
        let (instead, len) = match bytes[i] {
            b'"' => {
                is_in_text = !is_in_text;
                (None, 1)
            }
            b'\\' if is_in_text => (None, 2),
            b'\n' if is_in_text => (Some("\\n"), 1),
            b'\r' if is_in_text => (Some("\\r"), 1),
            b'\t' if is_in_text => (Some("\\t"), 1),
            0..0x20 if is_in_text => (Some(" "), 1),
            b',' if !is_in_text => commas(&bytes[i..]),
            b'N' | b'I' | b'-' if !is_in_text => ["NaN", "-NaN", "Infinity", "-Infinity"]
                .iter()
                .find(|word| bytes[i..].starts_with(word.as_bytes()))
                .map_or((None, 1), |word| (Some("null"), word.len())),
            _ => (None, 1),
        };
        if let Some(instead) = instead {
            out.push_str(&text[from..i]);
            out.push_str(instead);
            from = i + len;
        }
        i += len;
    }
    if from == 0 {
        return None;
    }
    out.push_str(&text[from..]);
    Some(out)
}

/// What stands instead of a run of commas and the blanks between, and how long it is: nothing where a list ends behind
/// it. The whole run at once, so that each byte of it is looked at once.
fn commas(rest: &[u8]) -> (Option<&'static str>, usize) {
    let ends = |b: &u8| !(*b == b',' || b.is_ascii_whitespace());
    let len = rest.iter().position(ends).unwrap_or(rest.len());
    let is_last = matches!(rest.get(len), Some(b'}' | b']'));
    (is_last.then_some(""), len)
}

/// The text with halves of surrogate pairs, which senders leave that cut a title in the middle of a picture, as the sign
/// for what cannot be shown; `None` when there are none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let hex = text.as_bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    let (mut out, mut from, mut i) = (String::new(), 0, 0);
    while let Some(found) = memchr::memchr(b'\\', &text.as_bytes()[i..]) {
        let at = i + found;
        match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => i = at + 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str(&text[from..at]);
                out.push('\u{fffd}');
                i = at + 6;
                from = i;
            }
            (Some(_), _) => i = at + 6,
            // The escaped byte may be a backslash itself.
            (None, _) => i = (at + 2).min(text.len()),
        }
    }
    if from == 0 {
        return None;
    }
    out.push_str(&text[from..]);
    Some(out)
}

/// What the parser objects to, with its place.
fn syntax(text: &str, error: &serde_json::Error) -> Rejection {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    let full = error.to_string();
    let what = full.split(" at line ").next().unwrap_or(&full);
    let reason = if what.contains("recursion limit") {
        "nested deeper than 127 levels".to_owned()
    } else if error.is_eof() {
        format!("the body ends in the middle ({what})")
    } else {
        format!(
            "not JSON: {what}, line {} column {}",
            error.line(),
            error.column()
        )
    };
    Rejection::new(Stage::Parse, reason).at(offset)
}
