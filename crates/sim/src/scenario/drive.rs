//! Drives a shard through a scenario, in one go or cut, stopped and restored.

use std::collections::BTreeMap;

use engine::{Books, Output, RestoreError, Settings, Shard, StateRow};
use model::{AlertId, Incident, Input, Severity, Span, Status, Time};

/// What a run gave.
pub struct Run {
    /// Outputs in order.
    pub out: Vec<Output>,
    /// The present truth at the end.
    pub incidents: Vec<Incident>,
    /// The books at the end.
    pub books: Books,
}

/// Longest time that stream time runs on after the last input, as in `replay`.
const SETTLE_MAX: Span = Span::from_hours(24);

/// Folds `inputs` in batches of `batch`, then lets time run on; at every input whose number is in `restarts` the shard is
/// stopped and another one restored from the rows it left.
pub fn run(
    settings: &Settings,
    inputs: &[Input],
    batch: usize,
    restarts: &[usize],
    until: Option<Time>,
) -> Result<Run, RestoreError> {
    let mut shard = Shard::new(settings.clone());
    let mut rows: BTreeMap<String, StateRow> = BTreeMap::new();
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        if restarts.contains(&at) {
            for row in shard.dirty_rows() {
                rows.insert(row.key.clone(), row);
            }
            shard = Shard::restore(settings.clone(), rows.values().cloned())?;
        }
        if at == inputs.len() {
            break;
        }
        let stop = restarts
            .iter()
            .copied()
            .find(|r| *r > at)
            .unwrap_or(inputs.len())
            .min(inputs.len());
        let end = at.saturating_add(batch.max(1)).min(stop);
        shard.step(&inputs[at..end], &mut out);
        at = end;
    }
    settle(&mut shard, until, &mut out);
    Ok(Run {
        out,
        incidents: shard.incidents(),
        books: shard.books(),
    })
}

/// Lets stream time run on: to `until`, or until nothing is pending, at most a day.
pub fn settle(shard: &mut Shard, until: Option<Time>, out: &mut Vec<Output>) {
    if let Some(until) = until {
        shard.progress(until, out);
        return;
    }
    let end = shard.stream_time() + SETTLE_MAX;
    while let Some(next) = shard.next_deadline().filter(|d| *d <= end) {
        shard.progress(next, out);
    }
}

/// The outputs as the bytes that consumers get, in order; what serves only tools that judge is left out.
pub fn bytes(out: &[Output]) -> Vec<Vec<u8>> {
    out.iter()
        .filter_map(|output| match output {
            Output::Change(change) => Some(wire::record::change(change)),
            Output::Incident(incident) => Some(wire::record::incident(incident)),
            Output::Forget(id) => Some(format!("forget {id}").into_bytes()),
            Output::Event { .. } | Output::Episode { .. } => None,
        })
        .collect()
}

/// State and severity of every alert that is in an incident, by the latest that is known of it (promise E2).
pub fn states(incidents: &[Incident]) -> BTreeMap<AlertId, (Status, Severity)> {
    let mut latest: BTreeMap<AlertId, (Time, Status, Severity)> = BTreeMap::new();
    for member in incidents.iter().flat_map(|i| &i.alerts) {
        let state = (member.last_at, member.status, member.severity);
        let known = latest.entry(member.alert_id).or_insert(state);
        if state.0 >= known.0 {
            *known = state;
        }
    }
    latest
        .into_iter()
        .map(|(alert, (_, status, severity))| (alert, (status, severity)))
        .collect()
}
