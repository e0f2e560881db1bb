//! Drives a shard through a scenario, in one go or cut, stopped and restored.

use std::collections::BTreeMap;

use engine::{Books, Output, RestoreError, Settings, Shard, StateRow};
use model::{AlertId, Incident, Input, Severity, Span, Status, Time};

use super::parse::{Scenario, received_at};

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
    fold((settings, &[]), inputs, batch, restarts, until)
}

impl Scenario {
    /// Folds these inputs under the settings of the scenario, with the switches that it asks for.
    pub fn run(
        &self,
        inputs: &[Input],
        batch: usize,
        restarts: &[usize],
        until: Option<Time>,
    ) -> Result<Run, RestoreError> {
        fold((&self.settings, &self.switches), inputs, batch, restarts, until)
    }
}

fn fold(
    (first, switches): (&Settings, &[(Time, Settings)]),
    inputs: &[Input],
    batch: usize,
    restarts: &[usize],
    until: Option<Time>,
) -> Result<Run, RestoreError> {
    let begins = |at: &Time| {
        let later = |input: &Input| received_at(input).is_some_and(|received| received >= *at);
        inputs.iter().position(later).unwrap_or(inputs.len())
    };
    let switches: Vec<(usize, &Settings)> = switches.iter().map(|(at, other)| (begins(at), other)).collect();
    let stops: Vec<usize> = switches
        .iter()
        .map(|(at, _)| *at)
        .chain(restarts.iter().copied())
        .collect();
    let mut shard = Shard::new(first.clone());
    let mut rows: BTreeMap<String, StateRow> = BTreeMap::new();
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        if stops.contains(&at) {
            for row in shard.dirty_rows() {
                rows.insert(row.key.clone(), row);
            }
            let now = switches.iter().rfind(|(from, _)| *from <= at);
            let settings = now.map_or(first, |(_, settings)| settings);
            shard = Shard::restore(settings.clone(), rows.values().cloned())?;
        }
        if at == inputs.len() {
            break;
        }
        let stop = stops
            .iter()
            .copied()
            .filter(|stop| *stop > at)
            .min()
            .unwrap_or(inputs.len());
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
