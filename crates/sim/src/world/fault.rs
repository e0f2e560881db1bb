//! Faults: where they begin, how they spread, and which alerts that raises.

use super::{
    Size,
    estate::{Estate, Place},
    tool::{Symptom, Tool},
};
use crate::Dice;

/// What kind of failure a fault is; the context classes of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultClass {
    /// One service.
    Isolated,
    /// Spreads from one thing to what depends on it.
    Cascading,
    /// Many things lose the ground they share.
    Systemic,
    /// A provider fails.
    ThirdParty,
}

impl FaultClass {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            FaultClass::Isolated => "isolated",
            FaultClass::Cascading => "cascading",
            FaultClass::Systemic => "systemic",
            FaultClass::ThirdParty => "third_party",
        }
    }
}

/// A fault with everything it raises.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) class: FaultClass,
    pub(crate) root: Place,
    pub(crate) raises: Vec<Raise>,
}

/// An alert that a fault raises; times in milliseconds after the onset of the fault.
#[derive(Clone, Debug)]
pub(crate) struct Raise {
    pub(crate) place: Place,
    pub(crate) tool: Tool,
    pub(crate) symptom: Symptom,
    /// What a failing call goes to.
    pub(crate) other: Option<Place>,
    pub(crate) begins_ms: i64,
    pub(crate) ends_ms: i64,
}

/// Seconds that a fault burns: five to twenty-five minutes.
const BURNS_S: (i64, i64) = (300, 1_500);
/// Mean seconds until trouble reaches the next caller.
const HOP_S: f64 = 12.0;
/// Hops that a cascade goes at most.
const HOPS_MAX: usize = 3;
/// Probability that trouble reaches a caller.
const SPREADS: f64 = 0.85;

impl Fault {
    /// Draws a fault somewhere in the estate.
    pub(crate) fn draw(estate: &Estate, size: &Size, dice: &mut Dice) -> Fault {
        let class = match dice.below(100) {
            0..25 => FaultClass::Isolated,
            25..65 => FaultClass::Cascading,
            65..85 => FaultClass::Systemic,
            _ => FaultClass::ThirdParty,
        };
        let roots = match class {
            FaultClass::Isolated => estate.of_kind(&["gateway"]),
            FaultClass::Cascading => estate.of_kind(&["database", "cache", "queue", "service"]),
            FaultClass::Systemic => estate.of_kind(&["host"]),
            FaultClass::ThirdParty => estate.of_kind(&["external"]),
        };
        let root = *dice.pick(&roots);
        let silent = class != FaultClass::Isolated && dice.chance(size.silent);
        let mut spread = Spread {
            estate,
            raises: Vec::new(),
            ends_ms: dice.between(BURNS_S.0, BURNS_S.1) * 1_000,
        };
        match class {
            FaultClass::Isolated => {
                spread.own(root, 0, dice);
                spread.raise(root, Symptom::Latency, None, 5_000, dice);
            }
            FaultClass::Cascading => {
                if !silent {
                    spread.own(root, 0, dice);
                }
                spread.callers(root, dice);
            }
            FaultClass::Systemic => {
                if !silent {
                    spread.own(root, 0, dice);
                }
                for place in estate.on_host(root) {
                    let at = dice.between(500, 9_000);
                    spread.raise(place, Symptom::State, None, at, dice);
                    spread.callers(place, dice);
                }
            }
            FaultClass::ThirdParty => {
                for &caller in &estate.places[root].used_by {
                    let at = dice.between(0, 20_000);
                    spread.raise(caller, Symptom::Downstream, Some(root), at, dice);
                    spread.raise(caller, Symptom::Errors, None, at + 8_000, dice);
                }
                if !silent {
                    spread.raise(root, Symptom::Errors, None, 30_000, dice);
                }
            }
        }
        // A cascade that shows at one place only is one service's failure to everybody who looks.
        let first = spread.raises.first().map(|r| r.place);
        let alone = spread.raises.iter().all(|r| Some(r.place) == first);
        let class = match class {
            FaultClass::Cascading if alone => FaultClass::Isolated,
            class => class,
        };
        Fault {
            class,
            root,
            raises: spread.raises,
        }
    }
}

struct Spread<'a> {
    estate: &'a Estate,
    raises: Vec<Raise>,
    ends_ms: i64,
}

impl Spread<'_> {
    /// What the broken thing says of itself.
    fn own(&mut self, place: Place, at_ms: i64, dice: &mut Dice) {
        self.raise(place, Symptom::State, None, at_ms, dice);
        self.raise(
            place,
            Symptom::Resource,
            None,
            at_ms + dice.between(0, 15_000),
            dice,
        );
    }

    /// What its callers suffer, and theirs, with a lag at each hop.
    fn callers(&mut self, root: Place, dice: &mut Dice) {
        let mut reached = vec![root];
        let mut edge: Vec<(Place, i64)> = vec![(root, 0)];
        for _ in 0..HOPS_MAX {
            let mut next = Vec::new();
            for (place, at_ms) in edge {
                for &caller in &self.estate.places[place].used_by {
                    if reached.contains(&caller) || !dice.chance(SPREADS) {
                        continue;
                    }
                    reached.push(caller);
                    let at_ms = at_ms + 1_000 + (dice.waiting(HOP_S) * 1e3) as i64;
                    let symptom = if dice.chance(0.5) {
                        Symptom::Latency
                    } else {
                        Symptom::Errors
                    };
                    self.raise(caller, symptom, None, at_ms, dice);
                    if dice.chance(0.3) {
                        self.raise(caller, Symptom::Downstream, Some(place), at_ms + 3_000, dice);
                    }
                    next.push((caller, at_ms));
                }
            }
            edge = next;
        }
    }

    fn raise(&mut self, place: Place, symptom: Symptom, other: Option<Place>, at_ms: i64, dice: &mut Dice) {
        let thing = &self.estate.places[place];
        let tool = match (thing.kind, symptom) {
            ("host", Symptom::State | Symptom::Resource) => Tool::Zabbix,
            ("gateway", Symptom::Latency | Symptom::Errors) if dice.chance(0.5) => Tool::Probe,
            ("external", _) => Tool::Probe,
            (_, Symptom::Downstream) => Tool::Prometheus,
            _ if dice.chance(0.3) => Tool::Cloudwatch,
            _ => Tool::Prometheus,
        };
        if self
            .raises
            .iter()
            .any(|r| (r.place, r.tool, r.symptom, r.other) == (place, tool, symptom, other))
        {
            return;
        }
        let ends_ms = self.ends_ms.max(at_ms + 60_000) + dice.between(0, 60_000);
        self.raises.push(Raise {
            place,
            tool,
            symptom,
            other,
            begins_ms: at_ms,
            ends_ms,
        });
    }
}
