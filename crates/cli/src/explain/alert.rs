//! `explain --alert` and `explain --suppressed`: where an alert is and was, and what keeps it quiet: by what, since when,
//! until when. With the changes of the domain every time that it was kept quiet or released is told, however long ago.

use std::collections::BTreeSet;

use model::{AlertId, Change, ChangeKind, Domain, Incident, Membership, Severity, SuppressedAlert, Time};

use super::{evidence, line, member, page};
use crate::terminal::{safe, word};

/// Everything that is told of the alerts that are meant by a text; `None` where none is.
pub(super) fn told(incidents: &[Incident], changes: &[Change], wanted: &str) -> Option<String> {
    let mut text = String::new();
    let mut ids: BTreeSet<AlertId> = BTreeSet::new();
    // A dedup key names one alert of each domain, also where no record lists it any more.
    let domains: BTreeSet<&Domain> = changes
        .iter()
        .map(|c| &c.domain)
        .chain(incidents.iter().map(|i| &i.domain))
        .collect();
    ids.extend(domains.iter().map(|domain| AlertId::new(domain, wanted)));
    for incident in incidents {
        let members = incident
            .alerts
            .iter()
            .filter(|m| is_meant(m.alert_id, &m.dedup_key, &m.title, wanted));
        let members: Vec<&Membership> = members.collect();
        let kept = incident.suppressed.iter().filter(|s| {
            is_meant(s.alert_id, &s.dedup_key, &s.title, wanted)
                || members.iter().any(|m| m.alert_id == s.alert_id)
        });
        let kept: Vec<&SuppressedAlert> = kept.collect();
        if members.is_empty() && kept.is_empty() {
            continue;
        }
        ids.extend(members.iter().map(|m| m.alert_id));
        ids.extend(kept.iter().map(|s| s.alert_id));
        head(&mut text, incident);
        let over = incident.resolved_at.is_some();
        members.iter().for_each(|m| member(&mut text, m, over));
        kept.iter().for_each(|s| suppressed(&mut text, s));
    }
    let mut first = true;
    for change in changes {
        let about = matches!(
            change.change,
            ChangeKind::Suppressed | ChangeKind::Released | ChangeKind::Flapping
        ) && change.alert_id.is_some_and(|id| ids.contains(&id));
        if !about {
            continue;
        }
        if std::mem::take(&mut first) {
            line(
                &mut text,
                format_args!("\nKept quiet and released, as it was said"),
            );
        }
        let reason = change
            .to
            .as_ref()
            .or(change.from.as_ref())
            .map_or("", |reason| reason.as_str());
        line(
            &mut text,
            format_args!(
                "  {}  {}  in {}: {}",
                change.at,
                word(&change.change),
                change.incident_id,
                safe(reason)
            ),
        );
        evidence(&mut text, &change.because);
    }
    (!text.is_empty()).then_some(text)
}

/// All that is kept quiet, the worst first.
pub(super) fn all_suppressed(incidents: &[Incident]) -> String {
    let mut all: Vec<(Severity, Time, &Incident, &SuppressedAlert)> = incidents
        .iter()
        .flat_map(|i| i.suppressed.iter().map(move |s| (s.severity, s.since, i, s)))
        .collect();
    all.sort_by_key(|(severity, since, _, s)| (std::cmp::Reverse(*severity), *since, s.alert_id));
    let mut text = String::new();
    for (_, _, incident, kept) in all {
        suppressed(&mut text, kept);
        line(
            &mut text,
            format_args!("          in {}: {}", incident.incident_id, safe(&incident.title)),
        );
    }
    let listed: usize = incidents.iter().map(|i| i.suppressed.len()).sum();
    let counted: u64 = incidents.iter().map(|i| i.counts.suppressed).sum();
    if counted > listed as u64 {
        line(
            &mut text,
            format_args!(
                "and {} more, which only the changes name",
                counted - listed as u64
            ),
        );
    }
    text
}

fn head(text: &mut String, incident: &Incident) {
    line(
        text,
        format_args!(
            "{}\nincident  {}, {}, opened {}",
            safe(&incident.title),
            incident.incident_id,
            word(&incident.status),
            incident.opened_at
        ),
    );
    page(text, incident);
}

/// One alert that is kept quiet.
pub(super) fn suppressed(text: &mut String, s: &SuppressedAlert) {
    let until = s
        .until
        .map_or("until it changes".to_owned(), |at| format!("until {at}"));
    line(
        text,
        format_args!(
            "  {}, {} (alert {}): by {}, since {}, {until}",
            safe(if s.title.is_empty() { "an alert" } else { &s.title }),
            s.severity,
            s.alert_id,
            safe(&s.by),
            s.since
        ),
    );
    line(text, format_args!("          {}", safe(&s.reason)));
}

/// By its id or the beginning of it, its dedup key, or words of its title.
fn is_meant(id: AlertId, dedup_key: &str, title: &str, wanted: &str) -> bool {
    let lower = wanted.to_lowercase();
    dedup_key == wanted
        || wanted.len() >= 4 && id.to_string().starts_with(&lower)
        || title.to_lowercase().contains(&lower)
}
