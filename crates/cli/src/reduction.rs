//! Noise reduction under each of its definitions, side by side: whoever quotes one of them alone can make any figure look
//! good, so `stats` and the report of `replay` give all of them, with what was lost for it.

use model::{Incident, IncidentStatus, Severity, Time};
use serde::Serialize;

use sim::score::{Answer, Keys, Scope, score};

use crate::{fail::Failure, lines::each_line, truth};

/// How much less there is to read, and at what price. Every figure is a sum over the last revision of each incident; only
/// the events of alerts that are in none have to be told by somebody else.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Reduction {
    /// Events: those in incidents, or all where those in none are known.
    pub events: u64,
    /// Alerts in incidents. One that fires again in its incident is the same alert; what is kept quiet is none of them.
    pub alerts: u64,
    /// Incidents, without those that were merged away and the lists of what is kept quiet.
    pub incidents: u64,
    /// Pages due.
    pub pages: u64,
    /// What was kept quiet, and of what; absent when that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppressed>,
    /// What was lost, where a truth is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// Seconds from the first alert of each incident that was paged to its first page.
    pub first_page_s: Vec<f64>,
    /// The same from the first alert that is bad enough to page anybody.
    pub first_worthy_page_s: Vec<f64>,
    /// The mildest severity that pages.
    pub severity_min: Severity,
    /// Suppressed alerts in the lists of what is kept quiet.
    #[serde(skip)]
    listed: u64,
}

/// What was kept quiet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Suppressed {
    /// `events` or `alerts`.
    pub what: &'static str,
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// `in the end` or, where that is not known, `as they came`.
    pub when: &'static str,
}

/// What was lost, by a truth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Lost {
    /// Share of noise that was kept out of every incident.
    pub noise_suppressed: f64,
    /// Share of the alerts of true incidents that were suppressed.
    pub real_alerts: f64,
    /// True incidents none of whose alerts is in any incident.
    pub real_incidents: usize,
    /// True incidents.
    pub of_incidents: usize,
}

impl Lost {
    /// Compares assignments with a truth, both one line an event.
    pub(crate) fn read(truth: &str, assignments: &str) -> Result<Lost, Failure> {
        let truths = truth::read(truth, &Keys::default())?;
        let mut answer = Answer::default();
        each_line(assignments, |line| answer.read(line))?;
        let score = score(&truths, &answer, None, Scope::default());
        Ok(Lost {
            noise_suppressed: score.noise.recall,
            real_alerts: score.noise.real_lost,
            real_incidents: score.recovered.missed_entirely,
            of_incidents: score.recovered.true_incidents,
        })
    }
}

impl Reduction {
    /// Of nothing yet, where `severity_min` is the mildest severity that pages.
    pub(crate) fn new(severity_min: Severity) -> Reduction {
        Reduction {
            severity_min,
            ..Reduction::default()
        }
    }

    /// Takes the last revision of an incident.
    pub(crate) fn add(&mut self, incident: &Incident) {
        let counts = &incident.counts;
        let suppressed = counts.suppressed + self.suppressed.map_or(0, |s| s.count);
        if incident.flags.iter().any(|flag| flag == "background") {
            self.listed += counts.suppressed;
        } else {
            self.events += counts.events;
            self.alerts += counts.alerts;
            self.incidents += u64::from(incident.status != IncidentStatus::Merged);
            self.pages += u64::from(incident.page.seq);
            if let Some(due) = incident.page.first_due_at {
                let seconds = |since| due.since(since).as_secs_f64();
                self.first_page_s.push(seconds(incident.opened_at));
                self.first_worthy_page_s
                    .push(seconds(self.first_worthy(incident)));
            }
        }
        self.suppressed = Some(Suppressed {
            what: "alerts",
            count: suppressed,
            of: self.alerts + self.listed,
            when: "in the end",
        });
    }

    /// When the first alert came that is bad enough for a page; not before the incident was opened, as clocks differ.
    fn first_worthy(&self, incident: &Incident) -> Time {
        let worthy = incident.alerts.iter().filter(|m| m.severity >= self.severity_min);
        let first = worthy.map(|m| m.first_at).min();
        first.map_or(incident.opened_at, |at| at.max(incident.opened_at))
    }

    /// A line for each definition.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (words, from, to) in [
            ("events to alerts", self.events, self.alerts),
            ("alerts to incidents", self.alerts, self.incidents),
            ("incidents to pages", self.incidents, self.pages),
            ("events to incidents", self.events, self.incidents),
            ("alerts to pages", self.alerts, self.pages),
        ] {
            if from > 0 {
                let detail = format!("{} to {}", number(from), number(to));
                lines.push(row(words, 1.0 - to as f64 / from as f64, &detail));
            }
        }
        if let Some(Suppressed {
            what,
            count,
            of,
            when,
        }) = self.suppressed.filter(|s| s.of > 0)
        {
            let detail = format!("{} of {}, {when}", number(count), number(of));
            lines.push(row(
                &format!("{what} kept quiet"),
                count as f64 / of as f64,
                &detail,
            ));
        }
        if let Some(lost) = self.lost {
            lines.push(row("noise kept quiet", lost.noise_suppressed, "by the truth"));
            lines.push(row("real alerts lost", lost.real_alerts, "by the truth"));
            let share = lost.real_incidents as f64 / lost.of_incidents.max(1) as f64;
            let detail = format!("{} of {}", lost.real_incidents, lost.of_incidents);
            lines.push(row("real incidents lost", share, &detail));
        } else if self.suppressed.as_ref().is_some_and(|s| s.of > 0) {
            // What is kept quiet is only half of the figure.
            lines.push(format!(
                "{:<20}      ?    only `--truth FILE` can tell",
                "real alerts lost"
            ));
        }
        lines.extend(times("first alert to page", &self.first_page_s));
        let worthy = format!("  of {} or worse", self.severity_min);
        lines.extend(times(&worthy, &self.first_worthy_page_s));
        lines
    }
}

fn times(words: &str, seconds: &[f64]) -> Option<String> {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let longest = sorted.last()?;
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    Some(format!(
        "{words:<20} median {:.0} s, 95 % within {:.0} s, longest {longest:.0} s",
        at(0.5),
        at(0.95)
    ))
}

fn row(words: &str, share: f64, detail: &str) -> String {
    format!("{words:<20} {:>6.1} %  {detail}", 100.0 * share)
}

/// With a comma between thousands.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0, 999, 1000, 1234567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn every_definition_has_a_line() {
        let reduction = Reduction {
            events: 1000,
            alerts: 100,
            incidents: 10,
            pages: 5,
            suppressed: Some(Suppressed {
                what: "alerts",
                count: 25,
                of: 100,
                when: "in the end",
            }),
            lost: Some(Lost {
                noise_suppressed: 0.95,
                real_alerts: 0.01,
                real_incidents: 1,
                of_incidents: 8,
            }),
            first_page_s: vec![17.0, 10.0, 10.0],
            first_worthy_page_s: vec![11.0, 10.0, 10.0],
            ..Reduction::new(Severity::Error)
        };
        assert_eq!(
            reduction.lines(),
            [
                "events to alerts       90.0 %  1,000 to 100",
                "alerts to incidents    90.0 %  100 to 10",
                "incidents to pages     50.0 %  10 to 5",
                "events to incidents    99.0 %  1,000 to 10",
                "alerts to pages        95.0 %  100 to 5",
                "alerts kept quiet      25.0 %  25 of 100, in the end",
                "noise kept quiet       95.0 %  by the truth",
                "real alerts lost        1.0 %  by the truth",
                "real incidents lost    12.5 %  1 of 8",
                "first alert to page  median 10 s, 95 % within 17 s, longest 17 s",
                "  of error or worse  median 10 s, 95 % within 11 s, longest 11 s",
            ]
        );
        assert_eq!(Reduction::default().lines(), [""; 0]);
    }
}
