//! What a number in the configuration may be: its name tells its unit, and the unit its bounds.

use serde_json::Value;

use super::{Config, reference::leaves};

/// Times of the fold and of its timers. Longer ones were surely meant in another unit.
const SECONDS_MAX: f64 = 31.0 * 86_400.0;
/// Ten years: nothing is kept for longer than anybody can ask for it.
const DAYS_MAX: f64 = 3_660.0;

/// Fields that hold a probability.
const PROBABILITIES: [&str; 3] = [
    "page.hold_probability",
    "grouping.abstain_margin",
    "grouping.join_min",
];
/// Fields without which a stage would stand still, beside the limits of what is taken and kept: where nothing has room,
/// everything is refused or shed.
const AT_LEAST_ONE: [&str; 2] = ["pipeline.ingest_workers", "pipeline.correlate_workers"];
/// Sections whose limits (`…_max`) those are. Elsewhere 0 may mean never.
const OF_LIMITS: [&str; 4] = ["pipeline.", "decode.", "http.", "limits."];

/// The first field whose number it cannot be, and what it is to be.
pub(super) fn wrong(config: &Config) -> Option<(String, String)> {
    let values = serde_json::to_value(config).expect("a configuration is JSON");
    leaves().into_iter().find_map(|leaf| {
        let value = leaf.path.split('.').fold(&values, |at, name| &at[name]);
        let absent = leaf.default.is_empty() && value.is_null();
        match leaf.kind.as_str() {
            "number" | "whole number" if !absent => of_field(leaf.path, value),
            "list" => value.as_array()?.iter().enumerate().find_map(|(i, item)| {
                let mut fields = leaf.item_numbers.iter();
                fields.find_map(|name| of_field(format!("{}[{i}].{name}", leaf.path), &item[name]))
            }),
            _ => None,
        }
    })
}

fn of_field(path: String, value: &Value) -> Option<(String, String)> {
    // JSON has no word for what is not finite.
    let said = match value.as_f64() {
        None => "is not a finite number".to_owned(),
        Some(number) => of_unit(&path, number)?,
    };
    Some((path, said))
}

/// Why a field cannot have this value; `None`: it can.
fn of_unit(path: &str, number: f64) -> Option<String> {
    let (least, most, unit, bounds) = if PROBABILITIES.contains(&path) {
        (0.0, 1.0, "", "0 and 1")
    } else if path.ends_with("_s") {
        (0.0, SECONDS_MAX, " seconds", "0 and 31 days")
    } else if path.ends_with("_days") {
        (0.0, DAYS_MAX, " days", "0 and 3660")
    } else if is_needed(path) && number < 1.0 {
        return Some("is to be at least 1".to_owned());
    } else if !path.starts_with("belief.") && number < 0.0 {
        return Some(format!("is {number}; it is not to be negative"));
    } else {
        return None;
    };
    (!(least..=most).contains(&number)).then(|| format!("is {number}{unit}; it is to be between {bounds}"))
}

/// Whether a field is to be at least 1.
fn is_needed(path: &str) -> bool {
    let is_limit = path.ends_with("_max") && OF_LIMITS.iter().any(|section| path.starts_with(section));
    AT_LEAST_ONE.contains(&path) || is_limit || path.ends_with("].count")
}

#[cfg(test)]
mod tests {
    use super::super::load_text;

    fn error(text: &str) -> String {
        load_text("c", text, std::iter::empty())
            .map(|_| "right".to_owned())
            .unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn numbers_that_a_field_cannot_have_are_refused() {
        for (text, said) in [
            (
                "page:\n  hold_s: .nan\n",
                "c:2: page.hold_s: is not a finite number",
            ),
            (
                "page:\n  repeat_s: .inf\n",
                "c:2: page.repeat_s: is not a finite number",
            ),
            (
                "page:\n  hold_s: -1\n",
                "c:2: page.hold_s: is -1 seconds; it is to be between 0 and 31 days",
            ),
            (
                "page:\n  hold_probability: 7\n",
                "c:2: page.hold_probability: is 7; it is to be between 0 and 1",
            ),
            (
                "grouping:\n  weight_system: -0.1\n",
                "c:2: grouping.weight_system: is -0.1; it is not to be negative",
            ),
            (
                "life:\n  forget_days: 4000000000\n",
                "c:2: life.forget_days: is 4000000000 days; it is to be between 0 and 3660",
            ),
            (
                "pipeline:\n  batch_records_max: 0\n",
                "c:2: pipeline.batch_records_max: is to be at least 1",
            ),
            (
                "pipeline:\n  ingest_workers: 0\n",
                "c:2: pipeline.ingest_workers: is to be at least 1",
            ),
            (
                "suppress:\n  thresholds:\n    - name: a\n    - name: b\n      window_s: .nan\n",
                "c:5: suppress.thresholds[1].window_s: is not a finite number",
            ),
            (
                "suppress:\n  thresholds:\n    - window_s: -1\n",
                "c:3: suppress.thresholds[0].window_s: is -1 seconds; it is to be between 0 and 31 days",
            ),
            (
                "suppress:\n  thresholds:\n    - count: 0\n",
                "c:3: suppress.thresholds[0].count: is to be at least 1",
            ),
            (
                "limits:\n  alerts_max: 0\n",
                "c:2: limits.alerts_max: is to be at least 1",
            ),
            ("suppress:\n  graph_hops_max: 0\n", "right"),
            ("suppress:\n  thresholds:\n    - name: a\n", "right"),
            ("belief:\n  bare: -6.5\n", "right"),
            ("life:\n  stale_repeats: 0\n", "right"),
        ] {
            assert_eq!(error(text), said);
        }
    }

    #[test]
    fn what_the_file_says_wrong_is_not_laid_on_the_environment() {
        let environment = [("STORMFOLD_PAGE_MODE".to_owned(), "live".to_owned())];
        let error = load_text("c", "page:\n  hold_s: .nan\n", environment.into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "c:2: page.hold_s: is not a finite number");
    }
}
