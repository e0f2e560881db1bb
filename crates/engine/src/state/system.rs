//! What is remembered of a system: the incidents that live in it and the fresh symptoms of late.
//!
//! A *symptom* is an alert, or where nothing but hosts is known (host, source, title), so that a label that varies does
//! not make a new symptom of every event.

use std::collections::{BTreeMap, VecDeque};

use model::{AlertId, IncidentId, Text, Time};
use serde::{Deserialize, Serialize};

use crate::state::{incident::Decaying, sender::Sender};

/// A connected part of the topology, or what stands for one where the topology is silent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct System {
    /// Incidents that may still take alerts in; at most [`LIVE_MAX`].
    pub live: Vec<IncidentId>,
    /// Incidents that were announced here and are not settled.
    pub tentative: Vec<IncidentId>,
    /// Fresh symptoms that are not settled yet: those that the youngest incident has shown before, and the others.
    pub again: u32,
    pub new: u32,
    /// How many of them the habit of their sources to repeat explains.
    pub expected: f64,
    /// Settled fresh symptoms of the last 30 s.
    pub settled: VecDeque<Settled>,
    /// Whether any alert here ever named a service.
    pub named_service: bool,
    /// The last fresh symptoms.
    pub ring: VecDeque<Fresh>,
    /// What is known here of the tools that watch it.
    #[serde(default)]
    pub senders: BTreeMap<Text, Sender>,
    /// The incident that was opened here last, and when it began.
    #[serde(default)]
    pub newest: Option<(Time, IncidentId)>,
    /// How many were opened here lately.
    #[serde(default)]
    pub openings: Decaying,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub t: Time,
    pub again: bool,
}

/// One fresh symptom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fresh {
    pub t: Time,
    pub node: Option<u32>,
    pub again: bool,
    /// The share of its source's alerts that repeat.
    pub repeats: f64,
    pub symptom: u64,
    pub alert: AlertId,
}

/// Where company is looked for: a system, or a single host where only hosts are known.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The last fresh symptoms, chronic ones included.
    pub near: VecDeque<(Time, AlertId)>,
    pub minutes: Minutes,
}

/// How many symptoms a minute usually brings here.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Minutes {
    minute: Option<i64>,
    symptoms: Vec<u64>,
    /// `histogram[n]`: minutes with n symptoms; the last entry holds all above.
    histogram: Vec<u32>,
}

/// Incidents of a system that may take alerts in at one time.
pub(crate) const LIVE_MAX: usize = 8;
/// Fresh symptoms of a system that are remembered.
pub(crate) const RING_MAX: usize = 256;
/// Symptoms of a place among which company is looked for.
pub(crate) const NEAR_MAX: usize = 64;

const MINUTE_SYMPTOMS_MAX: usize = 32;
/// A day of minutes; then all counts are halved, so that last week fades.
const MINUTES_MAX: u32 = 1440;
/// What is usual is not known before an hour was seen.
const MINUTES_MIN: u32 = 60;
/// Quiet minutes counted at once after a long silence: half a day.
const QUIET_MINUTES_MAX: i64 = 720;

impl Minutes {
    pub(crate) fn count(&mut self, t: Time, symptom: u64) {
        let minute = t.secs().div_euclid(60);
        if self.minute != Some(minute) {
            if let Some(before) = self.minute {
                self.histogram.resize(MINUTE_SYMPTOMS_MAX + 1, 0);
                self.histogram[self.symptoms.len().min(MINUTE_SYMPTOMS_MAX)] += 1;
                self.histogram[0] += (minute - before - 1).clamp(0, QUIET_MINUTES_MAX) as u32;
                if self.histogram.iter().sum::<u32>() > MINUTES_MAX {
                    self.histogram.iter_mut().for_each(|n| *n /= 2);
                }
            }
            self.minute = Some(minute);
            self.symptoms.clear();
        }
        if self.symptoms.len() < 2 * MINUTE_SYMPTOMS_MAX && !self.symptoms.contains(&symptom) {
            self.symptoms.push(symptom);
        }
    }

    /// The 60 % quantile of symptoms a minute, quiet minutes included, at most 3: in a system whose every minute is
    /// noisy nothing would ever come alone, and a higher bound would swallow real alerts under dense repeats.
    pub(crate) fn usual(&self) -> u32 {
        let total: u32 = self.histogram.iter().sum();
        if total < MINUTES_MIN {
            return 0;
        }
        let mut below = 0;
        for (n, minutes) in self.histogram.iter().enumerate() {
            below += minutes;
            if f64::from(below) >= 0.6 * f64::from(total) {
                return (n as u32).min(3);
            }
        }
        3
    }
}

impl Place {
    pub(crate) fn push(&mut self, t: Time, alert: AlertId) {
        if self.near.len() == NEAR_MAX {
            self.near.pop_front();
        }
        self.near.push_back((t, alert));
    }

    /// What was taken to begin at `t` began before.
    pub(crate) fn began_before(&mut self, alert: AlertId, t: Time, before: Time) {
        let mut of_late = self.near.iter_mut().rev();
        if let Some(entry) = of_late.find(|entry| **entry == (t, alert)) {
            entry.0 = before;
        }
    }
}

impl System {
    pub(crate) fn push(&mut self, fresh: Fresh) {
        if self.ring.len() == RING_MAX {
            self.ring.pop_front();
        }
        self.ring.push_back(fresh);
    }

    /// Puts an incident among the live ones; returns the one that had to go for it, the longest quiet one as `last`
    /// tells it.
    pub(crate) fn enliven(
        &mut self,
        incident: IncidentId,
        last: impl Fn(IncidentId) -> (Time, Time),
    ) -> Option<IncidentId> {
        if self.live.contains(&incident) {
            return None;
        }
        self.live.push(incident);
        if self.live.len() <= LIVE_MAX {
            return None;
        }
        let (index, _) = self
            .live
            .iter()
            .enumerate()
            .min_by_key(|(_, id)| (last(**id), **id))?;
        Some(self.live.remove(index))
    }
}

/// A system or place by name; part of the row key, so it is kept short.
pub(crate) type SystemKey = Text;
