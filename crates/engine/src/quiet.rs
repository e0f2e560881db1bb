//! Silences and maintenance windows: alerts that they match stay in their incident but call nobody while they hold.

use model::{AlertId, ChangeKind, Event, EventKind, Evidence, EvidenceKind, SuppressedAlert, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{
    alert::{Alert, Quieted},
    engine::{Engine, Timer, What},
    fold::Fold,
};

/// A silence or a maintenance window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quiet {
    pub maintenance: bool,
    pub matchers: Vec<Matcher>,
    pub from: Time,
    pub until: Time,
    pub author: Text,
    pub reason: Text,
}

/// One condition in Alertmanager's notation: `name="value"`, `name!="value"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Matcher {
    pub name: Text,
    pub equal: bool,
    pub value: Text,
}

/// A silence without an end holds for this long.
const DEFAULT_HOURS: i64 = 2;

impl Matcher {
    /// Reads `a="b", c!="d"`, with or without braces. An empty list when anything in it is not understood, because a
    /// matcher that is left out would silence more than was asked for.
    pub(crate) fn parse_all(text: &str) -> Vec<Matcher> {
        let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
        let mut all = Vec::new();
        let mut rest = inner.trim();
        while !rest.is_empty() {
            let Some(at) = rest.find(['=', '!']) else {
                return Vec::new();
            };
            let name = rest[..at].trim();
            let (equal, after) = match &rest[at..] {
                op if op.starts_with("!=") => (false, &op[2..]),
                op if op.starts_with("=~") || op.starts_with("!~") || op.starts_with('!') => {
                    return Vec::new();
                }
                op => (true, &op[1..]),
            };
            let after = after.trim_start();
            let (value, tail) = match after.strip_prefix('"') {
                Some(quoted) => match quoted.split_once('"') {
                    Some(parts) => parts,
                    None => return Vec::new(),
                },
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            if name.is_empty() {
                return Vec::new();
            }
            all.push(Matcher {
                name: name.into(),
                equal,
                value: value.trim().into(),
            });
            rest = tail.trim_start().trim_start_matches(',').trim_start();
        }
        all
    }

    fn matches(&self, alert: &Alert) -> bool {
        let field = match self.name.as_str() {
            "service" => alert.service.as_deref(),
            "host" => alert.host.as_deref(),
            "source" => Some(alert.source.as_str()),
            "title" | "alertname" => Some(alert.title.as_str()),
            "severity" => Some(alert.severity.as_str()),
            "dedup_key" => Some(alert.dedup_key.as_str()),
            "entity" => Some(alert.spot.entity.as_str()),
            _ => None,
        };
        let value = field.or_else(|| alert.labels.get(&self.name));
        // A missing field equals nothing, not even "".
        match value {
            Some(value) => value.eq_ignore_ascii_case(&self.value) == self.equal,
            None => false,
        }
    }
}

impl Engine {
    /// A silence or a maintenance window is announced.
    pub(crate) fn quiet(&mut self, event: &Event, fold: &mut Fold<'_>) {
        let said = event.labels.get("matchers").or_else(|| event.labels.get("scope"));
        let mut matchers = said.map(Matcher::parse_all).unwrap_or_default();
        if said.is_none() {
            for (name, value) in [("service", &event.service), ("host", &event.host)] {
                if let Some(value) = value {
                    matchers.push(Matcher {
                        name: name.into(),
                        equal: true,
                        value: value.clone(),
                    });
                }
            }
        }
        if matchers.is_empty() {
            // Nothing is named, or not understood: silencing everything is never what was meant.
            return;
        }
        let from = event.starts_at.unwrap_or(event.ts);
        let until = event
            .ends_at
            .unwrap_or(from + model::Span::from_hours(DEFAULT_HOURS));
        let label = |name: &str| Text::from(event.labels.get(name).unwrap_or(""));
        self.meta.quiets += 1;
        let number = self.meta.quiets;
        let maintenance = event.kind == EventKind::Maintenance;
        let author = if label("author").is_empty() {
            event.source.clone()
        } else {
            label("author")
        };
        let reason = if label("reason").is_empty() {
            event.title.clone()
        } else {
            label("reason")
        };
        self.quiets.insert(
            number,
            Quiet {
                maintenance,
                matchers,
                from,
                until,
                author,
                reason,
            },
        );
        if from > fold.time {
            self.timers.insert((from, Timer::Quiet(number)));
        } else {
            self.turn_quiet(number, fold);
        }
    }

    /// A silence or window begins or ends: what it holds is judged anew.
    pub(crate) fn turn_quiet(&mut self, number: u64, fold: &mut Fold<'_>) {
        let Some(quiet) = self.quiets.get(&number) else {
            return;
        };
        let until = quiet.until;
        if until <= fold.time {
            self.active_quiets.remove(&number);
            self.quiets.remove(&number);
        } else {
            self.active_quiets.insert(number);
            self.timers.insert((until, Timer::Quiet(number)));
        }
        for id in self.open.clone() {
            let members: Vec<AlertId> = self
                .incidents
                .get(&id)
                .map(|state| state.members.keys().copied().collect())
                .unwrap_or_default();
            for alert in members {
                self.look_quiet(alert, fold);
            }
            self.consider_page(id, fold);
        }
    }

    /// Says of a member whether something keeps it quiet, and of a change that it changed.
    pub(crate) fn look_quiet(&mut self, id: AlertId, fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get(&id) else { return };
        if self.active_quiets.is_empty() && alert.quieted.is_none() {
            return;
        }
        let Some(incident) = alert.incident else { return };
        let holding = self.active_quiets.iter().find_map(|number| {
            let quiet = self.quiets.get(number)?;
            quiet
                .matchers
                .iter()
                .all(|matcher| matcher.matches(alert))
                .then_some((*number, quiet))
        });
        if holding.map(|(number, _)| number) == alert.quieted.as_ref().map(|q| q.by) {
            return;
        }
        let quieted = holding.map(|(by, quiet)| {
            let sort = if quiet.maintenance {
                "maintenance"
            } else {
                "silence"
            };
            let reason = compact_str::format_compact!("{sort} by {}: {}", quiet.author, quiet.reason);
            (
                Quieted {
                    by,
                    since: fold.time,
                    until: quiet.until,
                    reason,
                },
                quiet.maintenance,
            )
        });
        let before = alert.quieted.clone();
        let episode = alert.episode;
        let alert = self.alerts.get_mut(&id).expect("looked up above");
        alert.quieted = quieted.as_ref().map(|(quieted, _)| quieted.clone());
        let Some(state) = self.incidents.get_mut(&incident) else {
            return;
        };
        match quieted {
            Some((quieted, maintenance)) => {
                state.suppressed.insert(
                    id,
                    SuppressedAlert {
                        alert_id: id,
                        by: quieted.reason.clone(),
                        since: quieted.since,
                        until: Some(quieted.until),
                        reason: quieted.reason.to_string(),
                    },
                );
                let kind = if maintenance {
                    EvidenceKind::Maintenance
                } else {
                    EvidenceKind::Silence
                };
                let left = quieted.until.since(fold.time).as_secs_f64();
                let because = vec![Evidence::new(
                    kind,
                    left,
                    format!("{} until {}", quieted.reason, quieted.until),
                )];
                self.say_episode(episode, Some(incident), Some(&quieted.reason), None, fold);
                let what = What::new(ChangeKind::Suppressed).alert(id).to(quieted.reason);
                self.change(incident, what, because, fold);
            }
            None => {
                state.suppressed.remove(&id);
                let before = before.map(|q| q.reason).unwrap_or_default();
                self.say_episode(episode, Some(incident), None, None, fold);
                let because = vec![Evidence::new(
                    EvidenceKind::Silence,
                    0.0,
                    format!("{before} is over"),
                )];
                let what = What::new(ChangeKind::Released).alert(id).from(before);
                self.change(incident, what, because, fold);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_whole_or_not_at_all() {
        let read = |text| {
            Matcher::parse_all(text)
                .iter()
                .map(|m| format!("{}{}{}", m.name, m.equal, m.value))
                .collect::<Vec<_>>()
        };
        assert_eq!(read(r#"host="a", team!="b""#), ["hosttruea", "teamfalseb"]);
        assert_eq!(read(r#"{service="x,y"}"#), ["servicetruex,y"]);
        assert_eq!(read("host=a"), ["hosttruea"]);
        for wrong in [r#"host=~"a.*""#, r#"host="a"#, "nonsense", r#"="x""#] {
            assert!(Matcher::parse_all(wrong).is_empty(), "{wrong}");
        }
    }
}
