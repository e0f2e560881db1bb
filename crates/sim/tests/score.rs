//! Every figure of a score agrees with its definition, computed the slow way: pair by pair and alert by alert, on worlds
//! from a seed and answers that are wrong in every way an answer can be.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sim::{
    Dice,
    score::{Answer, Keys, Ranked, Scope, Score, Truth, score},
    world::{Form, Size, Stream, truth_line},
};

/// One line of the truth beside what was answered of it.
struct Alert {
    truth: Value,
    answer: Option<Value>,
}

/// A world with an answer that splits, merges, mutes, moves and guesses.
fn world(seed: u64, form: Form) -> Vec<Alert> {
    let mut dice = Dice::new(seed ^ 0xA5);
    let size = Size {
        stray_per_day: 8.0,
        ..Size::small()
    };
    let lines = Stream::new(&size, seed).map(|told| truth_line(&told, form));
    let mut alerts = Vec::new();
    for (i, line) in lines.enumerate() {
        let mut truth: Value = serde_json::from_str(&line).unwrap();
        if dice.chance(0.03) {
            truth["ignore"] = json!(true);
        }
        if dice.chance(0.05) {
            truth["weak"] = json!(true);
        }
        let place = match (dice.below(20), truth["incident"].as_str()) {
            (0, _) => None,
            (1, _) => Some(format!("I{}", dice.below(4))),
            (2, _) => Some("everything".to_owned()),
            (3 | 4, Some(fault)) => Some(format!("{fault}-b")),
            (_, Some(fault)) => Some(fault.to_owned()),
            (5..12, None) => None,
            (_, None) => Some(format!("noise-{}", dice.below(9))),
        };
        let mut answer = json!({ "incident_id": place });
        match form {
            Form::Native => answer["event_id"] = truth["event_id"].clone(),
            Form::Alertmanager => answer["event_index"] = json!(i),
        }
        if dice.chance(0.4) {
            answer["settled_s"] = json!(dice.unit() * 30.0);
        }
        if dice.chance(0.1) {
            answer["moves"] = json!(dice.below(3));
        }
        if dice.chance(0.8) {
            answer["probability"] = json!(dice.unit());
        }
        let answer = (!dice.chance(0.02)).then_some(answer);
        alerts.push(Alert { truth, answer });
    }
    if form == Form::Native {
        // Of two lines about one event the last one counts, for both.
        let last: BTreeMap<String, Value> = alerts
            .iter()
            .filter_map(|a| Some((a.truth["event_id"].to_string(), a.answer.clone()?)))
            .collect();
        for alert in &mut alerts {
            alert.answer = last.get(&alert.truth["event_id"].to_string()).cloned();
        }
    }
    alerts
}

fn ranked(alerts: &[Alert], seed: u64) -> BTreeMap<String, Vec<Value>> {
    let mut dice = Dice::new(seed ^ 0x5A);
    let roots: BTreeSet<&str> = alerts
        .iter()
        .filter_map(|a| a.truth["root_service"].as_str())
        .collect();
    let roots: Vec<&str> = roots.into_iter().collect();
    let incidents: BTreeSet<&str> = alerts.iter().filter_map(place).collect();
    let mut all = BTreeMap::new();
    for incident in incidents {
        let list = (0..dice.below(8))
            .map(|i| match (*dice.pick(&roots), i % 3) {
                (root, 0) => json!(root),
                (root, 1) => json!({ "id": root, "score": 0.5 }),
                (root, _) => json!({ "service": "", "name": root }),
            })
            .collect();
        all.insert(incident.to_owned(), list);
    }
    all
}

fn place(alert: &Alert) -> Option<&str> {
    alert.answer.as_ref()?["incident_id"].as_str()
}

fn fast(alerts: &[Alert], ranked: &BTreeMap<String, Vec<Value>>, scope: Scope) -> Score {
    let truth: Vec<Truth> = alerts
        .iter()
        .map(|a| Truth::read(&a.truth.to_string(), &Keys::default()).unwrap())
        .collect();
    let mut answer = Answer::default();
    for line in alerts.iter().filter_map(|a| a.answer.as_ref()) {
        answer.read(&line.to_string()).unwrap();
    }
    let mut causes = Ranked::default();
    for (incident, list) in ranked {
        let line = json!({ "incident_id": incident, "ranked": list });
        causes.read(&line.to_string()).unwrap();
    }
    score(&truth, &answer, Some(&causes), scope)
}

/// Whether two alerts of one view belong together by the truth, and by the answer: noise and muted alerts with nothing.
fn together(a: Option<&str>, b: Option<&str>) -> bool {
    a.is_some() && a == b
}

/// The figures by name, each from its definition.
fn slow(alerts: &[Alert], ranked: &BTreeMap<String, Vec<Value>>, scope: Scope) -> BTreeMap<String, f64> {
    let mut figures: BTreeMap<String, f64> = BTreeMap::new();
    let flag = |alert: &Alert, name: &str| alert.truth[name] == json!(true);
    let fires = |alert: &&Alert| scope.resolved || alert.truth["status"] != "resolved";
    let scored: Vec<&Alert> = alerts
        .iter()
        .filter(fires)
        .filter(|a| !flag(a, "ignore") && (scope.weak || !flag(a, "weak")))
        .collect();
    figures.insert("scored_alerts".into(), scored.len() as f64);
    let matched = alerts.iter().filter(|a| a.answer.is_some()).count();
    figures.insert("pred_lines_matched".into(), matched as f64);
    let real: Vec<&Alert> = scored.iter().copied().filter(|a| fault(a).is_some()).collect();
    clustering("all", &scored, &mut figures);
    clustering("incidents", &real, &mut figures);
    let set = |put: &dyn Fn(&Alert) -> Option<&str>, name: &str| -> BTreeSet<usize> {
        (0..scored.len())
            .filter(|i| put(scored[*i]) == Some(name))
            .collect()
    };
    let faults: BTreeSet<&str> = scored.iter().filter_map(|a| fault(a)).collect();
    let places: BTreeSet<&str> = scored.iter().filter_map(|a| place(a)).collect();
    let jaccard = |f: &str, p: &str| {
        let (f, p) = (set(&fault, f), set(&place, p));
        f.intersection(&p).count() as f64 / f.union(&p).count() as f64
    };
    let best = |f: &str| places.iter().map(|p| jaccard(f, p)).fold(0.0, f64::max);
    let touches = |f: &str, p: &str| jaccard(f, p) > 0.0;
    let found = faults.iter().filter(|f| best(f) > 0.5).count() as f64;
    let good = places
        .iter()
        .filter(|p| faults.iter().any(|f| jaccard(f, p) > 0.5))
        .count() as f64;
    let pairs: Vec<(&str, &str)> = faults
        .iter()
        .flat_map(|f| places.iter().map(move |p| (*f, *p)))
        .filter(|(f, p)| touches(f, p))
        .collect();
    let reached = faults
        .iter()
        .filter(|f| pairs.iter().any(|(g, _)| g == *f))
        .count() as f64;
    let holding = places
        .iter()
        .filter(|p| pairs.iter().any(|(_, q)| q == *p))
        .count() as f64;
    let (precision, recall) = (good / places.len() as f64, found / faults.len() as f64);
    let mut put = |name: &str, value: f64| {
        figures.insert(name.to_owned(), value);
    };
    put("recovered.true_incidents", faults.len() as f64);
    put("recovered.pred_incidents", places.len() as f64);
    put("recovered.recovered", found);
    put("recovered.precision", precision);
    put("recovered.recall", recall);
    put("recovered.f1", mean(precision, recall));
    put(
        "recovered.mean_best_jaccard",
        faults.iter().map(|f| best(f)).sum::<f64>() / faults.len() as f64,
    );
    put("recovered.missed_entirely", faults.len() as f64 - reached);
    put(
        "recovered.fragments_per_true_incident",
        pairs.len() as f64 / reached,
    );
    put("recovered.true_per_pred_incident", pairs.len() as f64 / holding);
    put(
        "recovered.noise_only_pred_incidents",
        places.len() as f64 - holding,
    );

    let stream: Vec<&Alert> = alerts.iter().filter(fires).collect();
    let muted = stream.iter().filter(|a| place(a).is_none()).count() as f64;
    let made = stream
        .iter()
        .filter_map(|a| place(a))
        .collect::<BTreeSet<_>>()
        .len() as f64;
    put("compression.stream_alerts", stream.len() as f64);
    put("compression.suppressed", muted);
    put("compression.pred_incidents", made);
    put(
        "compression.alerts_per_incident",
        (stream.len() as f64 - muted) / made,
    );
    put("compression.reduction", 1.0 - made / stream.len() as f64);

    let count = |keep: &dyn Fn(&Alert) -> bool| scored.iter().filter(|a| keep(a)).count() as f64;
    let noise = count(&|a| fault(a).is_none());
    let suppressed = count(&|a| place(a).is_none());
    let both = count(&|a| fault(a).is_none() && place(a).is_none());
    put("noise.noise_alerts", noise);
    put("noise.suppressed", suppressed);
    put("noise.precision", both / suppressed);
    put("noise.recall", both / noise);
    put("noise.f1", mean(both / suppressed, both / noise));
    put(
        "noise.real_lost",
        count(&|a| fault(a).is_some() && place(a).is_none()) / real.len() as f64,
    );

    // The home of a fault: the predicted incident that holds most of it, of equals the one that appears first.
    let home = |f: &str| {
        let mut homes: Vec<&str> = Vec::new();
        for p in scored.iter().filter_map(|a| place(a)) {
            if !homes.contains(&p) {
                homes.push(p);
            }
        }
        let held = |p: &str| set(&fault, f).intersection(&set(&place, p)).count();
        homes
            .into_iter()
            .filter(|p| held(p) > 0)
            .rev()
            .max_by_key(|p| held(p))
    };
    let rank = |f: &str| {
        let wanted = scored.iter().find(|a| fault(a) == Some(f)).unwrap().truth["root_service"].as_str()?;
        let mut names: Vec<&str> = Vec::new();
        for cause in &ranked[home(f)?] {
            let keys = ["service", "id", "name"];
            let name = cause.as_str().or_else(|| {
                keys.iter()
                    .filter_map(|k| cause[*k].as_str())
                    .find(|n| !n.is_empty())
            });
            names.extend(name.filter(|n| !names.contains(n)));
        }
        names.iter().position(|n| *n == wanted)
    };
    let ranks: Vec<Option<usize>> = faults.iter().map(|f| rank(f)).collect();
    let within =
        |k: usize| ranks.iter().filter(|r| r.is_some_and(|r| r < k)).count() as f64 / ranks.len() as f64;
    put("root_cause.incidents", ranks.len() as f64);
    put("root_cause.AC@1", within(1));
    put("root_cause.AC@3", within(3));
    put("root_cause.AC@5", within(5));
    put("root_cause.Avg@5", (1..=5).map(within).sum::<f64>() / 5.0);
    let reciprocal = |r: &Option<usize>| r.map_or(0.0, |r| 1.0 / (r as f64 + 1.0));
    put(
        "root_cause.MRR",
        ranks.iter().map(reciprocal).sum::<f64>() / ranks.len() as f64,
    );

    let told = |a: &Alert, name: &str| a.answer.as_ref().and_then(|line| line[name].as_f64());
    let times: Vec<f64> = real
        .iter()
        .filter(|a| place(a).is_some() && place(a) == home(fault(a).unwrap()))
        .map(|a| told(a, "settled_s").unwrap_or(0.0))
        .collect();
    // The least of the values that at least this share of them does not exceed.
    let least = |share: f64| {
        let enough = |v: &f64| times.iter().filter(|t| *t <= v).count() as f64 >= share * times.len() as f64;
        times.iter().copied().filter(enough).fold(f64::INFINITY, f64::min)
    };
    let at_once = times.iter().filter(|t| **t == 0.0).count();
    put("online.right", times.len() as f64);
    put("online.right_share", times.len() as f64 / real.len() as f64);
    put("online.time_to_right_median_s", least(0.5));
    put("online.time_to_right_p95_s", least(0.95));
    put("online.at_once", at_once as f64 / times.len() as f64);
    let moves: f64 = scored.iter().filter_map(|a| told(a, "moves")).sum();
    put("online.ids_changed_per_alert", moves / scored.len() as f64);

    let said: Vec<(f64, bool)> = (0..scored.len())
        .filter(|i| place(scored[*i]).is_some())
        .filter_map(|i| Some((told(scored[i], "probability")?, right(&scored, i))))
        .collect();
    let n = said.len() as f64;
    let hit = |right: bool| f64::from(u8::from(right));
    put("calibration.memberships", n);
    put(
        "calibration.right",
        said.iter().map(|s| hit(s.1)).sum::<f64>() / n,
    );
    put("calibration.said", said.iter().map(|s| s.0).sum::<f64>() / n);
    put(
        "calibration.brier",
        said.iter().map(|s| (s.0 - hit(s.1)).powi(2)).sum::<f64>() / n,
    );
    let mut ece = 0.0;
    for bin in 0..15 {
        let (from, to) = (f64::from(bin) / 15.0, f64::from(bin + 1) / 15.0);
        let inside: Vec<&(f64, bool)> = said
            .iter()
            .filter(|s| from <= s.0 && (s.0 < to || (bin == 14 && s.0 == 1.0)))
            .collect();
        if !inside.is_empty() {
            let size = inside.len() as f64;
            let (p, r) = (
                inside.iter().map(|s| s.0).sum::<f64>() / size,
                inside.iter().map(|s| hit(s.1)).sum::<f64>() / size,
            );
            ece += size / n * (p - r).abs();
        }
    }
    put("calibration.ece", ece);
    figures
}

fn fault(alert: &Alert) -> Option<&str> {
    alert.truth["incident"].as_str()
}

/// Whether the alert belongs with most of the incident it was put into. Noise belongs with nothing but itself.
fn right(scored: &[&Alert], i: usize) -> bool {
    let inside: Vec<usize> = (0..scored.len())
        .filter(|j| place(scored[*j]) == place(scored[i]))
        .collect();
    let size = |f: &str| inside.iter().filter(|j| fault(scored[**j]) == Some(f)).count();
    let mut ruling: Option<&str> = None;
    for f in inside.iter().filter_map(|j| fault(scored[*j])) {
        if ruling.is_none_or(|r| size(f) > size(r)) {
            ruling = Some(f);
        }
    }
    match (fault(scored[i]), ruling) {
        (Some(f), Some(ruling)) => f == ruling,
        (None, None) => inside[0] == i,
        _ => false,
    }
}

fn mean(a: f64, b: f64) -> f64 {
    if a + b == 0.0 { 0.0 } else { 2.0 * a * b / (a + b) }
}

fn clustering(view: &str, alerts: &[&Alert], figures: &mut BTreeMap<String, f64>) {
    let (mut both, mut truth_only, mut answer_only, mut neither) = (0.0, 0.0, 0.0, 0.0_f64);
    let n = alerts.len();
    for i in 0..n {
        for j in 0..i {
            let truth = together(fault(alerts[i]), fault(alerts[j]));
            match (truth, together(place(alerts[i]), place(alerts[j]))) {
                (true, true) => both += 1.0,
                (true, false) => truth_only += 1.0,
                (false, true) => answer_only += 1.0,
                (false, false) => neither += 1.0,
            }
        }
    }
    // How many share the cluster of alert i, itself included.
    let size = |i: usize, put: fn(&Alert) -> Option<&str>| {
        (0..n)
            .filter(|j| *j == i || together(put(alerts[i]), put(alerts[*j])))
            .count() as f64
    };
    let shared = |i: usize| {
        (0..n)
            .filter(|j| {
                *j == i
                    || together(fault(alerts[i]), fault(alerts[*j]))
                        && together(place(alerts[i]), place(alerts[*j]))
            })
            .count() as f64
    };
    let sizes: Vec<(f64, f64, f64)> = (0..n)
        .map(|i| (size(i, fault), size(i, place), shared(i)))
        .collect();
    let over = |of: &dyn Fn(&(f64, f64, f64)) -> f64| sizes.iter().map(of).sum::<f64>() / n as f64;
    let entropy = |put: &dyn Fn(&(f64, f64, f64)) -> f64| -over(&|s| (put(s) / n as f64).ln());
    let share = |left: f64, all: f64| if all == 0.0 { 1.0 } else { 1.0 - left / all };
    let homogeneity = share(-over(&|s| (s.2 / s.1).ln()), entropy(&|s| s.0));
    let completeness = share(-over(&|s| (s.2 / s.0).ln()), entropy(&|s| s.1));
    let (precision, recall) = (both / (both + answer_only), both / (both + truth_only));
    let (b_precision, b_recall) = (over(&|s| s.2 / s.1), over(&|s| s.2 / s.0));
    let ari = 2.0 * (both * neither - truth_only * answer_only)
        / ((both + truth_only) * (truth_only + neither) + (both + answer_only) * (answer_only + neither));
    let mut put = |name: &str, value: f64| {
        figures.insert(format!("{view}.{name}"), value);
    };
    put("n", n as f64);
    put(
        "true_clusters",
        sizes.iter().map(|s| 1.0 / s.0).sum::<f64>().round(),
    );
    put(
        "pred_clusters",
        sizes.iter().map(|s| 1.0 / s.1).sum::<f64>().round(),
    );
    put("pair_precision", precision);
    put("pair_recall", recall);
    put("pair_f1", mean(precision, recall));
    put("ari", ari);
    put("homogeneity", homogeneity);
    put("completeness", completeness);
    put("v_measure_nmi", mean(homogeneity, completeness));
    put("bcubed_precision", b_precision);
    put("bcubed_recall", b_recall);
    put("bcubed_f1", mean(b_precision, b_recall));
}

/// The numbers of a score by their names as `--json` prints them; lists apart.
fn named(prefix: &str, value: &Value, all: &mut BTreeMap<String, f64>) {
    for (name, value) in value.as_object().unwrap() {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(_) => named(&format!("{name}."), value, all),
            Value::Number(n) => {
                all.insert(name, n.as_f64().unwrap());
            }
            _ => {}
        }
    }
}

#[test]
fn every_figure_agrees_with_its_definition() {
    let wide = Scope {
        resolved: true,
        weak: true,
    };
    for (seed, form, scope) in [
        (1, Form::Native, Scope::default()),
        (2, Form::Alertmanager, Scope::default()),
        (3, Form::Native, wide),
    ] {
        let alerts = world(seed, form);
        let ranked = ranked(&alerts, seed);
        let mut reached = BTreeMap::new();
        let score = serde_json::to_value(fast(&alerts, &ranked, scope)).unwrap();
        named("", &score, &mut reached);
        let wanted = slow(&alerts, &ranked, scope);
        let left_out: f64 = (reached.iter().filter(|(name, _)| name.starts_with("not_scored.")))
            .map(|(_, n)| n)
            .sum();
        assert_eq!(left_out + wanted["scored_alerts"], alerts.len() as f64);
        reached.retain(|name, _| !name.starts_with("not_scored."));
        assert!(wanted["scored_alerts"] > 100.0 && wanted["noise.noise_alerts"] > 5.0);
        assert_eq!(
            reached.keys().collect::<Vec<_>>(),
            wanted.keys().collect::<Vec<_>>(),
            "every figure has a definition here"
        );
        for (name, wanted) in &wanted {
            let reached = reached[name];
            assert!(
                (reached - wanted).abs() < 1e-9,
                "seed {seed}, {name}: {reached}, not {wanted}"
            );
        }
    }
}
