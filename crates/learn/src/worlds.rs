//! The worlds that the shipped weights are fitted to: as different from each other as installations are.

use std::collections::BTreeMap;

use model::{Hash128, Input, Labels, Severity, Span, Status, Text, Time};
use sim::{
    score::{Keys, Truth},
    world::{self, Form, Size, Told, topology_json, truth_line},
};

use crate::Stream;

/// What a world is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As `simulate` makes them.
    Plain,
    /// Half of the faults begin while another one burns.
    Overlap,
    /// Much comes for no reason.
    Noisy,
    /// Nobody knows what depends on what.
    Blind,
    /// Blind and noisy.
    BlindNoisy,
    /// Ten products side by side.
    Large,
    /// Quiet, and everything that fails says so by four alerts.
    Rich,
    /// Rich and overlap.
    RichOverlap,
    /// Only hosts of one network are known, nobody says how bad anything is or that it is over, and faults are bursts,
    /// as with intrusion detectors; much is noise.
    Bare,
    /// Few faults, little noise.
    Quiet,
    /// Thirty products side by side in which ten faults burn at any time; for the candidates, not for the weights.
    Crowded,
}

impl Kind {
    /// Those that weights are fitted to, in the order of tables.
    pub const ALL: [Kind; 10] = [
        Kind::Plain,
        Kind::Overlap,
        Kind::Noisy,
        Kind::Blind,
        Kind::BlindNoisy,
        Kind::Large,
        Kind::Rich,
        Kind::RichOverlap,
        Kind::Bare,
        Kind::Quiet,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Plain => "plain",
            Kind::Overlap => "overlap",
            Kind::Noisy => "noisy",
            Kind::Blind => "blind",
            Kind::BlindNoisy => "blind and noisy",
            Kind::Large => "large",
            Kind::Rich => "rich",
            Kind::RichOverlap => "rich, overlap",
            Kind::Bare => "bare",
            Kind::Quiet => "quiet",
            Kind::Crowded => "crowded",
        }
    }

    fn size(self) -> Size {
        let plain = Size {
            faults: 24,
            relapse: 0.1,
            ..Size::default()
        };
        match self {
            Kind::Plain | Kind::Blind => plain,
            Kind::Overlap => Size {
                overlap: 0.7,
                late: 0.05,
                ..plain
            },
            Kind::Noisy | Kind::BlindNoisy => Size {
                stray_per_day: 6.0,
                chronic: 0.3,
                ..plain
            },
            Kind::Large => Size {
                services: 120,
                overlap: 0.4,
                fault_every_s: 600.0,
                stray_per_day: 1.0,
                ..plain
            },
            Kind::Crowded => Size {
                services: 360,
                faults: 60,
                overlap: 0.95,
                ..plain
            },
            // Of what intrusion detectors say nine tenths and more are noise.
            Kind::Bare => Size {
                faults: 8,
                stray_per_day: 40.0,
                chronic: 0.8,
                ..plain
            },
            Kind::Quiet | Kind::Rich | Kind::RichOverlap => Size {
                overlap: if self == Kind::RichOverlap { 0.5 } else { 0.0 },
                stray_per_day: 0.1,
                chronic: 0.02,
                late: 0.0,
                ..plain
            },
        }
    }
}

/// The world of a kind and seed.
pub fn world(kind: Kind, seed: u64) -> Stream {
    let stream = world::Stream::new(&kind.size(), seed);
    let json = topology_json(&stream.estate().topology());
    let blind = matches!(kind, Kind::Blind | Kind::BlindNoisy | Kind::Bare);
    let parts = if blind {
        Vec::new()
    } else {
        wire::topology_parts(&json).expect("a world writes a valid topology")
    };
    let mut told: Vec<Told> = stream.collect();
    match kind {
        Kind::Rich | Kind::RichOverlap => told = told.into_iter().flat_map(fourfold).collect(),
        Kind::Bare => told = bared(told),
        _ => {}
    }
    told.sort_by_key(|told| told.event.received_at);
    let truth = told.iter().map(|told| {
        let line = truth_line(told, Form::Native);
        Truth::read(&line, &Keys::default()).expect("a world writes a valid truth")
    });
    Stream {
        name: format!("{} {seed}", kind.name()),
        topology: parts.into_iter().map(Input::TopologyPart).collect(),
        truth: truth.collect(),
        events: told
            .into_iter()
            .map(|told| Input::Event(Box::new(told.event)))
            .collect(),
    }
}

/// An alert of a fault as each of four instances raises it, a second after another.
fn fourfold(told: Told) -> impl Iterator<Item = Told> {
    let copies = if told.said.is_some() { 4 } else { 1 };
    (0..copies).map(move |i| {
        let mut copy = told.clone();
        if i > 0 {
            let event = &mut copy.event;
            let lag = Span::from_millis(700 * i);
            event.ts = event.ts + lag;
            event.received_at = event.received_at + lag;
            event.starts_at = event.starts_at.map(|at| at + lag);
            event.event_id = format!("{}-{i}", event.event_id).into();
            event.dedup_key = format!("{}-{i}", event.dedup_key).into();
            event.title = format!("{} in instance {}", event.title, ["a", "b", "c", "d"][i as usize]).into();
        }
        copy
    })
}

/// The stream as sensors see it: an attack shows everywhere within seconds and then goes on, an eighth of the noise comes
/// on the hour when jobs run everywhere, in words not heard before, nothing but hosts is named, nothing rated, nothing resolved.
fn bared(mut told: Vec<Told>) -> Vec<Told> {
    told.retain(|told| told.event.status == Status::Firing);
    let mut onsets: BTreeMap<usize, Time> = BTreeMap::new();
    let mut begins: BTreeMap<(usize, Text), Time> = BTreeMap::new();
    for told in &told {
        if let Some(said) = &told.said {
            let (ts, key) = (told.event.ts, told.event.dedup_key.clone());
            let onset = onsets.entry(said.fault).or_insert(ts);
            *onset = (*onset).min(ts);
            let begin = begins.entry((said.fault, key)).or_insert(ts);
            *begin = (*begin).min(ts);
        }
    }
    for told in &mut told {
        let event = &mut told.event;
        let lag = event.received_at.since(event.ts);
        if let Some(said) = &told.said {
            let (onset, begin) = (
                onsets[&said.fault],
                begins[&(said.fault, event.dedup_key.clone())],
            );
            let at_once = Span::from_nanos(begin.since(onset).nanos() / 10);
            event.ts = onset + at_once + event.ts.since(begin);
        } else {
            let hash = Hash128::new("hour").part(event.event_id.as_bytes()).finish();
            if hash.is_multiple_of(8) {
                let hour = Time::from_secs(event.ts.secs().div_euclid(3_600) * 3_600 + 3_600);
                event.ts = hour + Span::from_millis((hash >> 8) as i64 & 0xfff);
                let letter = |shift: u32| char::from(b'a' + ((hash >> shift) % 26) as u8);
                event.title = format!("policy {}{} violated", letter(24), letter(32)).into();
                event.dedup_key = format!("{}:{}", event.dedup_key, event.title).into();
            }
        }
        event.received_at = event.ts + lag;
        event.starts_at = None;
        event.host = event.host.take().or(event.service.take());
        event.service = None;
        event.severity = Severity::Unknown;
        event.labels = Labels::new();
        event.labels.set("network", "lab");
    }
    told
}
