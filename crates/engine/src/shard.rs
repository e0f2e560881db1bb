//! A journal partition: stream time, timers, routing to the engines of its domains.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use model::{
    Domain, DomainTag, Incident, IncidentId, Input, Progress, Text, Time, TopologyDocument, TopologyPart,
};
use serde::{Deserialize, Serialize};
use topology::Graph;

use crate::{
    Books, FOLD_READS_FROM, FOLD_VERSION, Output, RestoreError, Settings, StateRow, engine::Engine,
    fold::Fold,
};

/// One journal partition.
pub struct Shard {
    settings: Settings,
    core: Core,
    graph: Graph,
    engines: Vec<Engine>,
    by_domain: HashMap<Domain, usize, FixedState>,
    by_tag: BTreeMap<DomainTag, usize>,
    /// The next deadline of each engine that has one.
    due: BTreeSet<(Time, DomainTag, usize)>,
    due_of: Vec<Option<Time>>,
    /// The domain of the last event, by its parts, because the next is usually of the same.
    last: Option<(Option<Text>, Option<Text>, usize)>,
    /// Rows that are gone or new since the last checkpoint beside those of the engines.
    topology_changed: bool,
}

/// What a shard remembers beside its engines.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Core {
    fold_version: u32,
    time: Time,
    /// The present as ingest last told it. The newest word counts, not the greatest: a clock that was wrong once must not
    /// hold pages back for ever.
    present: Option<Time>,
    /// Rises with every topology that comes into force.
    serial: u32,
    inputs: u64,
    /// Parts of a topology that is not complete yet.
    parts: Vec<TopologyPart>,
}

/// Parts of a topology document that may wait for the others.
const PARTS_MAX: usize = 1024;

impl Shard {
    /// A shard that has seen nothing.
    pub fn new(settings: Settings) -> Shard {
        Shard {
            settings,
            core: Core {
                fold_version: FOLD_VERSION,
                time: Time::MIN,
                present: None,
                serial: 0,
                inputs: 0,
                parts: Vec::new(),
            },
            graph: Graph::empty(),
            engines: Vec::new(),
            by_domain: HashMap::with_hasher(FixedState::default()),
            by_tag: BTreeMap::new(),
            due: BTreeSet::new(),
            due_of: Vec::new(),
            last: None,
            topology_changed: false,
        }
    }

    /// Folds inputs in their order and appends what follows from them. Total: no error, no I/O.
    pub fn step(&mut self, batch: &[Input], out: &mut Vec<Output>) {
        for input in batch {
            let number = self.core.inputs;
            self.core.inputs += 1;
            match input {
                Input::Event(event) => {
                    self.progress(event.received_at, out);
                    let index = self.engine_of(event.tenant.as_ref(), event.environment.as_ref());
                    self.on(index, self.core.time, out, |engine, fold| {
                        engine.event(event, number, fold)
                    });
                }
                Input::Progress(Progress { to, present }) => {
                    self.core.present = present.or(self.core.present);
                    self.progress(*to, out);
                }
                Input::TopologyPart(part) => self.topology_part(part),
                Input::TopologyChange(change) => {
                    self.progress(change.at, out);
                    self.graph.apply(change);
                    self.core.serial += 1;
                    self.topology_changed = true;
                }
                // Left out by whoever feeds the fold; the record itself changes nothing.
                Input::Quarantine { .. } => {}
            }
        }
    }

    /// Lets stream time run to `to`, as a progress record would. Timers fire singly in the order of their deadlines.
    pub fn progress(&mut self, to: Time, out: &mut Vec<Output>) {
        while let Some(&(at, _, index)) = self.due.first() {
            if at > to {
                break;
            }
            self.core.time = self.core.time.max(at);
            self.on(index, at, out, |engine, fold| engine.timer(fold));
        }
        self.core.time = self.core.time.max(to);
    }

    /// Stream time: the running maximum of what was received; `Time::MIN` before the first input.
    pub fn stream_time(&self) -> Time {
        self.core.time
    }

    /// The next point of stream time at which something changes without an input.
    pub fn next_deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _, _)| *at)
    }

    /// The version of the topology in force; empty means none.
    pub fn topology_version(&self) -> &str {
        self.graph.version()
    }

    /// The present truth about one incident.
    pub fn incident(&self, id: IncidentId) -> Option<Incident> {
        let engine = &self.engines[*self.by_tag.get(&id.tag)?];
        let fold = Fold {
            graph: &self.graph,
            serial: self.core.serial,
            time: self.core.time,
            present: self.core.present,
            settings: &self.settings,
            out: &mut Vec::new(),
        };
        engine.record(id, &fold)
    }

    /// The present truth about every incident remembered, in the order of their ids.
    pub fn incidents(&self) -> Vec<Incident> {
        self.by_tag
            .values()
            .flat_map(|index| self.engines[*index].incident_ids())
            .filter_map(|id| self.incident(id))
            .collect()
    }

    /// How many incidents are open.
    pub fn open_incidents(&self) -> usize {
        self.engines.iter().map(|engine| engine.open.len()).sum()
    }

    /// How many alerts are remembered.
    pub fn alerts(&self) -> usize {
        self.engines.iter().map(|engine| engine.alerts.len()).sum()
    }

    /// The books.
    pub fn books(&self) -> Books {
        let mut sum = Books {
            inputs: self.core.inputs,
            ..Books::default()
        };
        for engine in &self.engines {
            sum.add(&engine.meta.books);
        }
        sum
    }

    /// Rows that changed since the last call (all of them after [`Shard::new`]), ordered by key.
    pub fn dirty_rows(&mut self) -> Vec<StateRow> {
        let mut rows = vec![StateRow {
            key: "shard".to_owned(),
            value: json(&self.core),
        }];
        if std::mem::take(&mut self.topology_changed) {
            let named = NamedTopology {
                version: self.graph.version().into(),
                document: self.graph.document(),
            };
            rows.push(StateRow {
                key: "topology".to_owned(),
                value: json(&named),
            });
        }
        for engine in &mut self.engines {
            engine.changed_rows(&mut rows);
        }
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows
    }

    /// A shard from the newest row of each key; order does not matter. No rows at all give a new shard.
    pub fn restore(
        settings: Settings,
        rows: impl IntoIterator<Item = StateRow>,
    ) -> Result<Shard, RestoreError> {
        let mut rows: Vec<(String, Vec<u8>)> = rows
            .into_iter()
            .filter_map(|row| row.value.map(|value| (row.key, value)))
            .collect();
        // Counters name the domain and come before what belongs to it.
        rows.sort_by_cached_key(|(key, _)| (!key.ends_with("/meta/"), key.clone()));
        let mut shard = Shard::new(settings);
        for (key, value) in &rows {
            let bad = |reason: String| RestoreError::Row {
                key: key.clone(),
                reason,
            };
            match key.split('/').collect::<Vec<_>>()[..] {
                ["shard"] => {
                    shard.core = serde_json::from_slice(value).map_err(|e| bad(e.to_string()))?;
                    let found = shard.core.fold_version;
                    if !(FOLD_READS_FROM..=FOLD_VERSION).contains(&found) {
                        return Err(RestoreError::Version { found });
                    }
                    shard.core.fold_version = FOLD_VERSION;
                }
                ["topology"] => {
                    let named: NamedTopology =
                        serde_json::from_slice(value).map_err(|e| bad(e.to_string()))?;
                    shard.graph = Graph::from_document(&named.document, &named.version);
                }
                [_, "meta", ""] => {
                    let engine = Engine::from_meta(value)?;
                    shard.adopt(engine);
                }
                [tag, table, ..] => {
                    let tag = u64::from_str_radix(tag, 16).map_err(|e| bad(e.to_string()))?;
                    let index = *shard
                        .by_tag
                        .get(&DomainTag(tag))
                        .ok_or_else(|| bad("of no known domain".to_owned()))?;
                    // A key may hold slashes itself: it is all that follows the table.
                    let own = &key[17 + table.len() + 1..];
                    shard.engines[index].restore_row(table, own, value)?;
                }
                _ => return Err(bad("no such row".to_owned())),
            }
        }
        for index in 0..shard.engines.len() {
            let fold = Fold {
                graph: &shard.graph,
                serial: shard.core.serial,
                time: shard.core.time,
                present: shard.core.present,
                settings: &shard.settings,
                out: &mut Vec::new(),
            };
            shard.engines[index].wire_up(&fold);
            shard.reschedule(index);
        }
        Ok(shard)
    }

    /// Runs one engine within its surroundings and notes its next deadline.
    fn on(
        &mut self,
        index: usize,
        time: Time,
        out: &mut Vec<Output>,
        run: impl FnOnce(&mut Engine, &mut Fold<'_>),
    ) {
        let mut fold = Fold {
            graph: &self.graph,
            serial: self.core.serial,
            time,
            present: self.core.present,
            settings: &self.settings,
            out,
        };
        run(&mut self.engines[index], &mut fold);
        self.reschedule(index);
    }

    fn reschedule(&mut self, index: usize) {
        let next = self.engines[index].next_deadline();
        if next == self.due_of[index] {
            return;
        }
        let tag = self.engines[index].tag;
        if let Some(at) = std::mem::replace(&mut self.due_of[index], next) {
            self.due.remove(&(at, tag, index));
        }
        if let Some(at) = next {
            self.due.insert((at, tag, index));
        }
    }

    fn engine_of(&mut self, tenant: Option<&Text>, environment: Option<&Text>) -> usize {
        if let Some((t, e, index)) = &self.last
            && t.as_ref() == tenant
            && e.as_ref() == environment
        {
            return *index;
        }
        let domain = Domain::new(tenant.map(Text::as_str), environment.map(Text::as_str));
        let index = match self.by_domain.get(&domain) {
            Some(index) => *index,
            None => self.adopt(Engine::new(domain)),
        };
        self.last = Some((tenant.cloned(), environment.cloned(), index));
        index
    }

    fn adopt(&mut self, engine: Engine) -> usize {
        let index = self.engines.len();
        self.by_domain.insert(engine.domain.clone(), index);
        self.by_tag.insert(engine.tag, index);
        self.engines.push(engine);
        self.due_of.push(None);
        index
    }

    /// Collects the parts of a topology; the last one puts it in force, unless it is already.
    fn topology_part(&mut self, part: &TopologyPart) {
        if part.version == self.graph.version() {
            return;
        }
        let parts = &mut self.core.parts;
        if parts.first().is_some_and(|first| first.version != part.version) || parts.len() >= PARTS_MAX {
            parts.clear();
        }
        if !parts.iter().any(|known| known.part == part.part) {
            parts.push(part.clone());
        }
        if (parts.len() as u32) < part.parts {
            return;
        }
        parts.sort_by_key(|part| part.part);
        let json: String = parts.drain(..).map(|part| part.json).collect();
        // What is no topology was refused before it got into the journal.
        if let Ok(document) = serde_json::from_str::<TopologyDocument>(&json) {
            self.graph = Graph::from_document(&document, &part.version);
            self.core.serial += 1;
            self.topology_changed = true;
        }
    }
}

#[derive(Serialize, Deserialize)]
struct NamedTopology {
    version: Text,
    document: TopologyDocument,
}

fn json(value: &impl Serialize) -> Option<Vec<u8>> {
    Some(serde_json::to_vec(value).expect("state rows hold nothing that JSON cannot"))
}
