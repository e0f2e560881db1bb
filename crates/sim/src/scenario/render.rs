//! Writes the lower half of a scenario: what changed, what is true at the end, what was suppressed.

use std::collections::BTreeMap;

use engine::{EpisodeId, Output};
use model::{Actor, AlertId, Change, Event, Evidence, Incident, IncidentId, Input, PageMode, Text, Time};

use super::{
    drive::Run,
    line::show,
    parse::{Scenario, Shown},
};

/// The lower half that a run of the scenario gives.
pub fn lower_half(scenario: &Scenario, run: &Run) -> String {
    let mut page = Page {
        start: scenario.start,
        names: BTreeMap::new(),
        alerts: alerts(&scenario.inputs),
    };
    let mut text = String::new();
    for output in &run.out {
        if let Output::Change(change) = output {
            text.push_str(&page.change(change, scenario.shown.actors));
        }
    }
    text.push('\n');
    let mut incidents: Vec<(String, &Incident)> = run
        .incidents
        .iter()
        .map(|i| (page.name(i.incident_id), i))
        .collect();
    incidents.sort_by_key(|(name, _)| (name.len(), name.clone()));
    for (name, incident) in &incidents {
        text.push_str(&page.incident(name, incident));
        for alert in &incident.alerts {
            let labels = alert.labels.iter().map(|(name, value)| format!("{name}={value}"));
            let merged: Vec<String> = labels
                .chain(alert.text.lines().map(|l| format!("{l:?}")))
                .collect();
            if !merged.is_empty() {
                text.push_str(&format!("  {:?} {}\n", alert.title, merged.join(" ")));
            }
        }
        text.push_str(&page.more(&scenario.shown, incident));
    }
    text.push_str(&page.suppressed(scenario, &run.out));
    if scenario.shown.records {
        text.push_str(&page.records(&run.out));
    }
    let books = serde_json::to_value(run.books).expect("counters are plain data");
    for counter in &scenario.shown.books {
        text.push_str(&format!("{counter} {}\n", books[counter]));
    }
    text
}

struct Page {
    start: Time,
    names: BTreeMap<IncidentId, String>,
    alerts: BTreeMap<AlertId, String>,
}

fn alerts(inputs: &[Input]) -> BTreeMap<AlertId, String> {
    let mut alerts = BTreeMap::new();
    for input in inputs {
        if let Input::Event(event) = input {
            alerts
                .entry(AlertId::new(&event.domain(), &event.dedup_key))
                .or_insert_with(|| subject(event));
        }
    }
    alerts
}

fn subject(event: &Event) -> String {
    let place = event.service.as_deref().or(event.host.as_deref()).unwrap_or("-");
    format!("{place} \"{}\"", event.title)
}

impl Page {
    /// I1, I2, … in the order of appearance.
    fn name(&mut self, id: IncidentId) -> String {
        let next = format!("I{}", self.names.len() + 1);
        self.names.entry(id).or_insert(next).clone()
    }

    fn time(&self, at: Time) -> String {
        show(at.since(self.start))
    }

    fn change(&mut self, change: &Change, actors: bool) -> String {
        let mut line = format!(
            "{:>8} {} {}",
            self.time(change.at),
            self.name(change.incident_id),
            word(&change.change)
        );
        if let Some(alert) = change.alert_id {
            line.push_str(&format!(" {}", self.subject(alert)));
        }
        for (label, value) in [("from", &change.from), ("to", &change.to)] {
            if let Some(value) = value {
                line.push_str(&format!(" {label} {}", self.value(value)));
            }
        }
        if change.mode == Some(PageMode::Live) {
            line.push_str(" live");
        }
        if change.amends {
            line.push_str(" amends");
        }
        if actors && change.actor != Actor::ENGINE {
            line.push_str(&format!(" by {}", change.actor.0));
        }
        line.push_str(&because(&change.because));
        line.push('\n');
        line
    }

    /// A value of `from` or `to`; ids of incidents become their names.
    fn value(&mut self, value: &Text) -> String {
        match value.parse::<IncidentId>() {
            Ok(id) => self.name(id),
            Err(_) => value.to_string(),
        }
    }

    fn incident(&mut self, name: &str, incident: &Incident) -> String {
        let mut line = format!("{name} is {} {}", word(&incident.status), incident.severity);
        for flag in &incident.flags {
            line.push_str(&format!(" {flag}"));
        }
        let counts = &incident.counts;
        line.push_str(&format!(
            ", {} alerts ({} firing), {} events",
            counts.alerts, counts.firing, counts.events
        ));
        line.push_str(&format!(
            ", {} ({:.2})",
            word(&incident.context.class),
            incident.context.confidence
        ));
        if let Some(cause) = incident.causes.first() {
            line.push_str(&format!(
                ", cause {} ({:.2}, {})",
                cause.entity,
                cause.score,
                word(&cause.kind)
            ));
        }
        line.push_str(&format!(
            ", owner {}, page {}",
            incident.owner.team,
            word(&incident.page.state)
        ));
        if incident.page.seq > 0 {
            line.push_str(&format!(" #{}", incident.page.seq));
        }
        for related in &incident.related {
            let other = self.names.get(&related.incident_id).map_or("?", String::as_str);
            line.push_str(&format!(", related {other} ({:.2})", related.probability));
        }
        for change in &incident.changes {
            line.push_str(&format!(", change {} ({:.2})", change.entity, change.score));
        }
        if let Some(rarity) = &incident.rarity {
            line.push_str(&format!(", {rarity}"));
        }
        for past in &incident.similar {
            let cause = past.cause.as_deref().unwrap_or("nothing");
            line.push_str(&format!(
                ", like {} ({:.2}, cause {cause})",
                self.name(past.incident_id),
                past.similarity
            ));
        }
        line.push('\n');
        line
    }

    /// What the scenario asks to see of a record.
    fn more(&self, shown: &Shown, incident: &Incident) -> String {
        let mut text = String::new();
        let page = &incident.page;
        if shown.pages {
            let after = page.first_due_at.map_or(String::new(), |at| {
                format!(" first {} after it began,", show(at.since(incident.opened_at)))
            });
            text.push_str(&format!(
                "  page {} #{} {},{after} {}\n",
                word(&page.state),
                page.seq,
                word(&page.mode),
                page.reason
            ));
        }
        for alert in incident.alerts.iter().filter(|_| shown.alerts) {
            text.push_str(&format!(
                "  {} {} {}{}, {} events from {} to {}",
                self.subject(alert.alert_id),
                alert.severity,
                word(&alert.status),
                if alert.stale { " stale" } else { "" },
                alert.count,
                self.time(alert.first_at),
                self.time(alert.last_at)
            ));
            if let Some(rate) = alert.rate {
                text.push_str(&format!(", {} a minute", number(rate)));
            }
            if let Some(rarity) = &alert.rarity {
                text.push_str(&format!(", {rarity}"));
            }
            if let Some(season) = alert.season {
                text.push_str(&format!(
                    ", {} of its times in this hour of the week",
                    number(season)
                ));
            }
            text.push('\n');
        }
        if shown.alerts && incident.alerts_truncated {
            text.push_str(&format!(
                "  and {} alerts that only the changes name\n",
                incident.counts.alerts - incident.alerts.len() as u64
            ));
        }
        for kept in incident.suppressed.iter().filter(|_| shown.suppressed) {
            let until = kept
                .until
                .map_or(String::new(), |until| format!(" until {}", self.time(until)));
            let by = self.by(&kept.by);
            text.push_str(&format!(
                "  keeps {} {} quiet by {by} since {}{until}: {}\n",
                self.subject(kept.alert_id),
                kept.severity,
                self.time(kept.since),
                kept.reason
            ));
        }
        text
    }

    fn subject(&self, alert: AlertId) -> String {
        self.alerts
            .get(&alert)
            .cloned()
            .unwrap_or_else(|| alert.to_string())
    }

    /// What keeps an alert quiet; an alert that does is told by its words.
    fn by(&self, by: &str) -> String {
        let alert = by
            .strip_prefix("alert ")
            .and_then(|id| id.parse::<AlertId>().ok());
        alert.map_or(by.to_owned(), |alert| self.subject(alert))
    }

    fn records(&mut self, out: &[Output]) -> String {
        let mut times: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for output in out {
            if let Output::Incident(incident) = output {
                let name = self.name(incident.incident_id);
                times
                    .entry(name)
                    .or_default()
                    .push(self.time(incident.updated_at));
            }
        }
        times
            .into_iter()
            .map(|(name, times)| format!("{name} is published as of {}\n", times.join(", ")))
            .collect()
    }

    fn suppressed(&self, scenario: &Scenario, out: &[Output]) -> String {
        let mut episodes: BTreeMap<EpisodeId, &Option<Text>> = BTreeMap::new();
        for output in out {
            if let Output::Episode {
                episode, suppressed, ..
            } = output
            {
                episodes.insert(*episode, suppressed);
            }
        }
        let mut text = String::new();
        for output in out {
            let Output::Event {
                input,
                episode: Some(episode),
            } = output
            else {
                continue;
            };
            let Some(Some(reason)) = episodes.get(episode) else {
                continue;
            };
            let Some(Input::Event(event)) =
                scenario.inputs.get(usize::try_from(*input).unwrap_or(usize::MAX))
            else {
                continue;
            };
            text.push_str(&format!(
                "{:>8} suppressed {}: {reason}\n",
                self.time(event.received_at),
                subject(event)
            ));
        }
        text
    }
}

fn because(evidence: &[Evidence]) -> String {
    if evidence.is_empty() {
        return String::new();
    }
    let items: Vec<String> = evidence
        .iter()
        .map(|e| format!("{} {}", word(&e.kind), number(e.value)))
        .collect();
    format!(" because {}", items.join(", "))
}

/// At most three places; whole numbers without any.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The word that records use for a unit variant.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}
