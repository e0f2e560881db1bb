//! What belongs to no fault: alerts that keep coming, alerts that come and go, alerts that come once.

use super::{
    Size,
    estate::{Estate, Place},
    fault::Raise,
    tool::{Symptom, Tool},
};
use crate::Dice;

/// A thing that is a nuisance.
#[derive(Clone, Debug)]
pub(crate) struct Nuisance {
    place: Place,
    tool: Tool,
    symptom: Symptom,
    every_s: f64,
    lasts_s: (i64, i64),
    /// Flaps: several short episodes at a time.
    flaps: u64,
    dice: Dice,
}

impl Nuisance {
    /// The nuisances of an estate.
    pub(crate) fn draw(estate: &Estate, size: &Size, dice: &mut Dice) -> Vec<Nuisance> {
        let mut all = Vec::new();
        for place in estate.of_kind(&["service", "database", "cache", "queue", "gateway", "host"]) {
            let host = estate.places[place].kind == "host";
            let tool = if host { Tool::Zabbix } else { Tool::Prometheus };
            if dice.chance(size.chronic) {
                let symptom = if host { Symptom::Resource } else { Symptom::Latency };
                let (every_s, flaps) = if dice.chance(0.3) {
                    (7_200.0, 5)
                } else {
                    (dice.between(600, 1_800) as f64, 1)
                };
                all.push(Nuisance {
                    place,
                    tool,
                    symptom,
                    every_s,
                    lasts_s: (60, 240),
                    flaps,
                    dice: dice.fork(1),
                });
            }
            if size.stray_per_day > 0.0 {
                let symptom = if dice.chance(0.5) {
                    Symptom::Resource
                } else {
                    Symptom::Latency
                };
                let every_s = 86_400.0 / size.stray_per_day;
                all.push(Nuisance {
                    place,
                    tool,
                    symptom,
                    every_s,
                    lasts_s: (60, 900),
                    flaps: 1,
                    dice: dice.fork(2),
                });
            }
        }
        all
    }

    /// Seconds until it comes next.
    pub(crate) fn wait_s(&mut self) -> f64 {
        // Half of the time is fixed: chronic alerts have a rhythm.
        self.every_s / 2.0 + self.dice.waiting(self.every_s / 2.0)
    }

    /// The alerts of its next time; times in milliseconds after it.
    pub(crate) fn raises(&mut self) -> Vec<Raise> {
        let mut begins_ms = 0;
        (0..self.flaps)
            .map(|_| {
                let ends_ms = begins_ms + self.dice.between(self.lasts_s.0, self.lasts_s.1) * 1_000;
                let raise = Raise {
                    place: self.place,
                    tool: self.tool,
                    symptom: self.symptom,
                    other: None,
                    begins_ms,
                    ends_ms,
                };
                begins_ms = ends_ms + self.dice.between(20, 120) * 1_000;
                raise
            })
            .collect()
    }
}
