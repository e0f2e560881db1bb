//! Windows and keys: what a rule of one line would do.

use std::collections::BTreeMap;

use model::{Event, Status};

/// What the baselines see of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When the sender observed it, in seconds.
    pub at_s: f64,
    /// Its service, or else its host.
    pub place: String,
    /// Its title.
    pub title: String,
    /// The system that its labels or its name tell: a label `cluster` or `network`, or what stands before a `/`.
    pub scope: String,
    /// It says that something ended.
    pub resolved: bool,
}

impl Row {
    /// What the baselines see of an event.
    pub fn of(event: &Event) -> Row {
        let place = event.service.as_deref().or(event.host.as_deref()).unwrap_or("?");
        let label = ["cluster", "network"]
            .iter()
            .find_map(|name| event.labels.get(name));
        let scope = label.or_else(|| Some(place.split_once('/')?.0));
        Row {
            at_s: event.ts.nanos() as f64 / 1e9,
            place: place.to_owned(),
            title: event.title.to_string(),
            scope: scope.unwrap_or_default().to_owned(),
            resolved: event.status == Status::Resolved,
        }
    }
}

/// A plain way to place alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naive {
    /// Everything until five minutes pass without an alert.
    Session,
    /// Everything within five minutes of the first.
    Tumble,
    /// One incident per service, for ever.
    Service,
    /// One per title, for ever.
    Title,
    /// One per service until five minutes pass without an alert of it.
    ServiceSession,
    /// One per title until five minutes pass without it.
    TitleSession,
    /// One per system until five minutes pass without an alert of it.
    ScopeSession,
    /// As `Tumble`, but what has come twenty times over six hours on one service is muted.
    Chronic,
}

impl Naive {
    /// All of them, in the order of tables.
    pub const ALL: [Naive; 8] = [
        Naive::Session,
        Naive::Tumble,
        Naive::Service,
        Naive::Title,
        Naive::ServiceSession,
        Naive::TitleSession,
        Naive::ScopeSession,
        Naive::Chronic,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Naive::Session => "session_5m",
            Naive::Tumble => "tumble_5m",
            Naive::Service => "service",
            Naive::Title => "title",
            Naive::ServiceSession => "service_5m",
            Naive::TitleSession => "title_5m",
            Naive::ScopeSession => "scope_5m",
            Naive::Chronic => "chronic",
        }
    }
}

const GAP_S: f64 = 300.0;
/// What has come more often than this, since longer than this, is muted by [`Naive::Chronic`].
const OFTEN: u32 = 20;
const LONG_S: f64 = 6.0 * 3_600.0;

/// The incident of each row; `None`: muted.
pub fn place(rows: &[Row], how: Naive) -> Vec<Option<String>> {
    // Of a key: when its window began or was last extended, and the number of its incident.
    let mut windows: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    let mut seen: BTreeMap<(&str, &str), (f64, u32)> = BTreeMap::new();
    let mut incidents = 0;
    let tumbles = matches!(how, Naive::Tumble | Naive::Chronic);
    rows.iter()
        .map(|row| {
            let key = match how {
                Naive::Service => return Some(row.place.clone()),
                Naive::Title => return Some(row.title.clone()),
                Naive::Session | Naive::Tumble | Naive::Chronic => "",
                Naive::ServiceSession => &row.place,
                Naive::TitleSession => &row.title,
                Naive::ScopeSession => &row.scope,
            };
            if how == Naive::Chronic {
                let habit = seen.entry((&row.title, &row.place)).or_insert((row.at_s, 0));
                habit.1 += u32::from(!row.resolved);
                if habit.1 > OFTEN && row.at_s - habit.0 >= LONG_S {
                    return None;
                }
            }
            let known = windows.get(key).filter(|(since, _)| row.at_s - since <= GAP_S);
            let window = match known {
                Some((since, number)) if tumbles => (*since, *number),
                Some((_, number)) => (row.at_s, *number),
                None => {
                    incidents += 1;
                    (row.at_s, incidents)
                }
            };
            windows.insert(key, window);
            Some(window.1.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at_s: f64, place: &str, title: &str) -> Row {
        Row {
            at_s,
            place: place.to_owned(),
            title: title.to_owned(),
            scope: String::new(),
            resolved: false,
        }
    }

    #[test]
    fn windows_end_by_silence_or_by_age() {
        let rows = [0.0, 200.0, 400.0, 1_000.0].map(|at| row(at, "web", "slow"));
        let placed = |how| -> Vec<String> { place(&rows, how).into_iter().flatten().collect() };
        assert_eq!(placed(Naive::Session), ["1", "1", "1", "2"]);
        assert_eq!(placed(Naive::Tumble), ["1", "1", "2", "3"]);
        assert_eq!(placed(Naive::Title), ["slow"; 4]);
    }

    #[test]
    fn what_keeps_coming_is_muted() {
        let rows: Vec<Row> = (0..40)
            .map(|i| row(f64::from(i) * 1_200.0, "web", "slow"))
            .collect();
        let muted = place(&rows, Naive::Chronic)
            .iter()
            .filter(|p| p.is_none())
            .count();
        assert_eq!(muted, 20);
    }
}
