//! Matchers in Alertmanager's notation: `severity="critical", team!="web", host=~"db-.*", zone!~"eu-.*"`.
//!
//! As there, a regular expression matches a whole value, and what an alert does not have is empty text: `team=""` asks for
//! alerts without a team, `team!="web"` holds for them too. What matches any alert whatever is refused, because silencing
//! everything is never what was meant. Expressions run in time linear in the value (the engine has no backtracking)
//! and are limited in size, so nobody can stop the fold with one.
//! <https://prometheus.io/docs/alerting/latest/configuration/#matcher>

use model::Text;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use topology::{Graph, NodeId};

use crate::state::alert::Alert;

/// Bytes of a list of matchers, and of each compiled expression.
const TEXT_BYTES_MAX: usize = 4096;
const REGEX_BYTES_MAX: usize = 256 << 10;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Matchers {
    text: String,
    #[schemars(skip)]
    all: Vec<Matcher>,
}

#[derive(Clone, Debug)]
struct Matcher {
    name: Text,
    /// `=` and `=~`, not `!=` and `!~`.
    positive: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Equal(Text),
    Regex(Regex),
}

impl PartialEq for Matchers {
    fn eq(&self, other: &Matchers) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for Matchers {
    type Error = String;

    fn try_from(text: String) -> Result<Matchers, String> {
        Matchers::parse(&text)
    }
}

impl From<Matchers> for String {
    fn from(matchers: Matchers) -> String {
        matchers.text
    }
}

impl Matchers {
    /// Reads a list, with or without braces. All of it is understood or none, because a matcher that is left out would
    /// match more than was asked for.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Matchers, String> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("matchers longer than {TEXT_BYTES_MAX} bytes"));
        }
        let mut rest = text.trim();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner
                .strip_suffix('}')
                .ok_or_else(|| format!("`{text}`: a brace is not closed"))?
                .trim();
        }
        let mut all = Vec::new();
        while !rest.is_empty() {
            let (matcher, tail) = one(rest)?;
            all.push(matcher);
            rest = tail.trim_start();
            match rest.strip_prefix(',') {
                Some(next) => rest = next.trim_start(),
                None if rest.is_empty() => {}
                None => return Err(format!("`{rest}`: expected a comma")),
            }
        }
        if all.iter().all(Matcher::matches_nothing_given) {
            return Err(format!("`{text}` would match every alert"));
        }
        Ok(Matchers {
            text: text.to_owned(),
            all,
        })
    }

    /// `name="value"`, and one more of these for each pair.
    pub(crate) fn equal<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Matchers, String> {
        let quoted: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={}", quote(value)))
            .collect();
        Matchers::parse(&quoted.join(", "))
    }

    /// Whether all hold of an alert. With a graph the names of hosts, services and entities also match under every
    /// other name that it knows for the same thing.
    pub(crate) fn hold(&self, alert: &Alert, graph: Option<&Graph>) -> bool {
        !self.all.is_empty() && self.all.iter().all(|matcher| matcher.holds(alert, graph))
    }

    /// Whether they hold of everything that depends on what they name: an entity named by `=` is one that the alert's
    /// depends on, within `hops`; all else holds as it is.
    pub(crate) fn hold_of_dependants(&self, alert: &Alert, graph: &Graph, hops: u32) -> bool {
        let mut named = false;
        let all = self.all.iter().all(|matcher| {
            if let Test::Equal(name) = &matcher.test
                && matcher.positive
                && is_name(&matcher.name)
            {
                named = true;
                return matcher.holds(alert, Some(graph)) || depends(alert, name, graph, hops);
            }
            matcher.holds(alert, Some(graph))
        });
        named && all
    }
}

fn depends(alert: &Alert, name: &str, graph: &Graph, hops: u32) -> bool {
    let (Some(own), Some(on)) = (alert.spot.node, graph.name(name).known()) else {
        return false;
    };
    let on = graph.thing(on);
    graph
        .ring(NodeId(own), topology::Direction::Down, hops)
        .contains(&on)
}

/// Reads `name OP value` from the front.
fn one(text: &str) -> Result<(Matcher, &str), String> {
    let at = text
        .find(['=', '!'])
        .ok_or_else(|| format!("`{text}`: expected name=\"value\""))?;
    let name = text[..at].trim().trim_matches('"');
    let (positive, regex, after) = match &text[at..] {
        op if op.starts_with("=~") => (true, true, &op[2..]),
        op if op.starts_with("!~") => (false, true, &op[2..]),
        op if op.starts_with("!=") => (false, false, &op[2..]),
        op if op.starts_with('=') => (true, false, &op[1..]),
        op => return Err(format!("`{op}`: expected =, !=, =~ or !~")),
    };
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(format!("`{text}`: expected a name before the operator"));
    }
    let (value, tail) = value(after.trim_start())?;
    let test = if regex {
        let whole = format!("^(?:{value})$");
        let regex = RegexBuilder::new(&whole)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build()
            .map_err(|e| format!("`{value}`: {e}"))?;
        Test::Regex(regex)
    } else {
        Test::Equal(value.into())
    };
    let matcher = Matcher {
        name: name.into(),
        positive,
        test,
    };
    Ok((matcher, tail))
}

/// Reads a value: quoted, with `\"`, `\\` and `\n` escaped, or bare up to the next comma.
fn value(text: &str) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (bare, tail) = text.split_at(text.find(',').unwrap_or(text.len()));
        return Ok((bare.trim().to_owned(), tail));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, c @ ('"' | '\\'))) => value.push(c),
                // A regular expression may hold a backslash that nobody doubled.
                Some((_, c)) => value.extend(['\\', c]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err(format!("`{text}`: a quote is not closed"))
}

/// A value as [`Matchers::parse`] reads it back.
pub fn quote(value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// Whether a matcher names a thing that may have several names.
fn is_name(name: &str) -> bool {
    matches!(
        name,
        "service" | "host" | "entity" | "instance" | "node" | "pod" | "hostname"
    )
}

impl Matcher {
    /// Whether it holds where nothing is given.
    fn matches_nothing_given(&self) -> bool {
        self.test("") == self.positive
    }

    fn test(&self, value: &str) -> bool {
        match &self.test {
            // A scrape names a host by the port that it asks. An `instance` is one port, in Alertmanager's silences too.
            Test::Equal(want) if is_name(&self.name) => {
                want.eq_ignore_ascii_case(value)
                    || self.name != "instance" && want.eq_ignore_ascii_case(topology::without_port(value))
            }
            Test::Equal(want) => want == value,
            Test::Regex(regex) => regex.is_match(value),
        }
    }

    fn holds(&self, alert: &Alert, graph: Option<&Graph>) -> bool {
        let mut given = false;
        let mut hit = false;
        for value in values(&self.name, alert).into_iter().flatten() {
            given |= !value.is_empty();
            hit |= !value.is_empty() && self.test(value);
        }
        if !given {
            hit = self.test("");
        }
        (hit || graph.is_some_and(|graph| self.names_the_same(alert, graph))) == self.positive
    }

    /// Whether the value is another name of where the alert happens.
    fn names_the_same(&self, alert: &Alert, graph: &Graph) -> bool {
        let Test::Equal(name) = &self.test else {
            return false;
        };
        if !is_name(&self.name) {
            return false;
        }
        let Some(node) = graph.name(name).known() else {
            return false;
        };
        let here = |n: Option<u32>| n.is_some_and(|n| n == node.0 || n == graph.thing(node).0);
        here(alert.spot.node) || here(alert.spot.host_node)
    }
}

/// What an alert says under a name: our own fields first, then its label.
fn values<'a>(name: &str, alert: &'a Alert) -> [Option<&'a str>; 3] {
    let own = match name {
        "service" => alert.service.as_deref(),
        "host" | "hostname" | "instance" | "node" => alert.host.as_deref(),
        "source" => Some(alert.source.as_str()),
        "title" | "alertname" => Some(alert.title.as_str()),
        "severity" => Some(alert.severity.as_str()),
        "dedup_key" => Some(alert.dedup_key.as_str()),
        "entity" => Some(alert.spot.entity.as_str()),
        _ => None,
    };
    let other = match name {
        "entity" => alert.service.as_deref().or(alert.host.as_deref()),
        _ => None,
    };
    [own, other, alert.labels.get(name)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(service: &str, labels: &[(&str, &str)]) -> Alert {
        let mut line = serde_json::json!({
            "event_id": "e", "source": "probe", "dedup_key": "k", "status": "firing", "severity": "error",
            "title": "Slow", "ts": "2026-03-02T10:00:00Z", "received_at": "2026-03-02T10:00:00Z",
            "service": service, "labels": {},
        });
        for (name, value) in labels {
            line["labels"][name] = (*value).into();
        }
        let event: model::Event = serde_json::from_value(line).unwrap();
        let spot = crate::state::spot::locate(&event, &Graph::empty(), 0);
        Alert::new(&event, spot, event.ts)
    }

    #[test]
    fn means_what_alertmanager_means() {
        let web = alert("Web", &[("team", "shop"), ("zone", "eu-1")]);
        for (text, holds) in [
            (r#"service="web""#, true),
            (r#"{team="shop", zone=~"eu-.*"}"#, true),
            (r#"team="Shop""#, false),
            (r#"zone=~"eu""#, false),
            (r#"zone=~"eu|us-1|eu-1""#, true),
            (r#"zone!~"us-.*", service="web""#, true),
            (r#"tier!="gold", service="web""#, true),
            (r#"tier="", service="web""#, true),
            (r#"tier="gold", service="web""#, false),
            (r#"tier=~".+", service="web""#, false),
            (r#"alertname="Slow",severity=error"#, true),
        ] {
            let matchers = Matchers::parse(text).unwrap();
            assert_eq!(matchers.hold(&web, None), holds, "{text}");
        }
    }

    #[test]
    fn a_host_is_the_same_behind_each_of_its_ports() {
        let scraped = alert("mysql", &[("host", "db-9:9104"), ("instance", "db-9:9104")]);
        for (text, holds) in [
            (r#"host="db-9""#, true),
            (r#"host="DB-9:9104""#, true),
            (r#"host="db-9:9100""#, false),
            (r#"service="mysql", host!="db-9""#, false),
            (r#"instance="db-9""#, false),
            (r#"instance="db-9:9104""#, true),
        ] {
            let matchers = Matchers::parse(text).unwrap();
            assert_eq!(matchers.hold(&scraped, None), holds, "{text}");
        }
    }

    #[test]
    fn is_read_whole_or_not_at_all() {
        for (wrong, part) in [
            ("", "every alert"),
            (r#"team=~".*""#, "every alert"),
            (r#"team!="x""#, "every alert"),
            (r#"host="a"#, "quote"),
            (r#"host="a" team="b""#, "comma"),
            ("nonsense", "expected name"),
            (r#"="x""#, "expected a name"),
            (r#"host=~"(""#, "("),
            (r#"{host="a""#, "brace"),
            (r#"host=~"(\w{1000}){1000}""#, "size"),
        ] {
            let error = Matchers::parse(wrong).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
        let odd = "a \"quoted\\one\",\nand more";
        let matchers = Matchers::equal([("title", odd)]).unwrap();
        assert!(matches!(&matchers.all[0].test, Test::Equal(value) if value == odd));
    }
}
