//! The baselines beside an answer: what anybody would get without this engine.

use std::fmt::Write;

use learn::baseline::{Naive, Order, Row, dbscan, place, rank};
use model::TopologyDocument;
use sim::score::{Answer, Scope, Score, Truth, score};

use crate::{fail::Failure, labelled, topology};

/// Scores of every baseline.
pub(super) struct Baselines(Vec<Baseline>);

struct Baseline {
    name: &'static str,
    score: Score,
    /// By each order of causes, where the truth knows any.
    causes: Vec<(Order, sim::score::RootCause)>,
}

/// Scores every baseline on the events of a file.
pub(super) fn score_all(
    file: &str,
    topology: Option<&str>,
    truth: &[Truth],
    scope: Scope,
) -> Result<Baselines, Failure> {
    let document = topology.map(topology::document).transpose()?.unwrap_or_default();
    let events = labelled::events(file)?;
    if events.len() != truth.len() {
        let (e, t) = (events.len(), truth.len());
        return Err(Failure::Wrong(format!(
            "{e} lines of events, {t} of truth: they belong line to line"
        )));
    }
    if !events.is_empty() && events.iter().all(Option::is_none) {
        let what = "no line is an event, and baselines look at events; name their file with --events";
        return Err(Failure::Wrong(format!("{file}:1: {what}")));
    }
    let lines: Vec<usize> = (0..events.len()).filter(|i| events[*i].is_some()).collect();
    let rows: Vec<Row> = events.iter().flatten().map(Row::of).collect();
    let of = |name, placed| baseline(name, &lines, &rows, placed, &document, truth, scope);
    let mut all: Vec<Baseline> = Naive::ALL
        .into_iter()
        .map(|how| of(how.name(), place(&rows, how)))
        .collect();
    all.push(of("dbscan", dbscan(&rows)));
    Ok(Baselines(all))
}

fn baseline(
    name: &'static str,
    lines: &[usize],
    rows: &[Row],
    placed: Vec<Option<String>>,
    topology: &TopologyDocument,
    truth: &[Truth],
    scope: Scope,
) -> Baseline {
    let mut answer = Answer::default();
    for (line, incident) in lines.iter().zip(&placed) {
        answer.place_at(*line, incident.clone());
    }
    let knows = truth.iter().any(|truth| truth.root.is_some());
    let orders = if knows { &Order::ALL[..] } else { &[] };
    let causes = orders.iter().filter_map(|order| {
        let ranked = rank(rows, &placed, *order, topology);
        Some((*order, score(truth, &answer, Some(&ranked), scope).root_cause?))
    });
    Baseline {
        name,
        causes: causes.collect(),
        score: score(truth, &answer, None, scope),
    }
}

impl Baselines {
    /// By name, the whole score and the causes by their order.
    pub(super) fn json(&self) -> serde_json::Value {
        let of = |baseline: &Baseline| {
            let mut all = serde_json::to_value(&baseline.score).expect("a score is plain data");
            for (order, cause) in &baseline.causes {
                all["root_cause"][order.name()] = serde_json::to_value(cause).expect("a score is plain data");
            }
            (baseline.name.to_owned(), all)
        };
        serde_json::Value::Object(self.0.iter().map(of).collect())
    }

    /// One line for the answer, one for each baseline; of causes the best order.
    pub(super) fn table(&self, answer: Option<&Score>) -> String {
        let mut text = format!(
            "{:12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>16} {:>16}\n",
            "baseline", "pair F1", "B3 F1", "recov F1", "noise R", "lost", "incidents", "AC@1", "AC@3"
        );
        if let Some(score) = answer {
            let cause = |of: fn(&sim::score::RootCause) -> f64| {
                score.root_cause.as_ref().map(|cause| (of(cause), String::new()))
            };
            line(
                &mut text,
                "(the answer)",
                score,
                cause(|c| c.ac_1),
                cause(|c| c.ac_3),
            );
        }
        for baseline in &self.0 {
            let best = |of: fn(&sim::score::RootCause) -> f64| {
                let all = baseline.causes.iter().map(|(order, cause)| (of(cause), *order));
                // Of equals the first.
                let best = all.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
                Some((best.0, format!(" {}", best.1.name())))
            };
            line(
                &mut text,
                baseline.name,
                &baseline.score,
                best(|c| c.ac_1),
                best(|c| c.ac_3),
            );
        }
        text
    }
}

fn line(
    text: &mut String,
    name: &str,
    score: &Score,
    ac_1: Option<(f64, String)>,
    ac_3: Option<(f64, String)>,
) {
    let (pair, b3) = score
        .all
        .as_ref()
        .map_or((0.0, 0.0), |all| (all.pair_f1, all.bcubed_f1));
    let cause = |of: Option<(f64, String)>| of.map_or("-".to_owned(), |(v, by)| format!("{v:.4}{by}"));
    let _ = writeln!(
        text,
        "{name:12} {pair:8.4} {b3:8.4} {:8.4} {:8.4} {:8.4} {:9} {:>16} {:>16}",
        score.recovered.f1,
        score.noise.recall,
        score.noise.real_lost,
        score.recovered.pred_incidents,
        cause(ac_1),
        cause(ac_3)
    );
}
