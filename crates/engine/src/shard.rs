//! A journal partition: stream time, timers, routing to the engines of its domains.

mod domains;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use model::{
    Domain, DomainTag, Incident, IncidentId, Input, Progress, Span, Text, Time, TopologyDocument,
    TopologyPart,
};
use serde::{Deserialize, Serialize};
use topology::Graph;

use crate::{
    Books, FOLD_READS_FROM, FOLD_VERSION, Output, RestoreError, Settings, StateRow,
    cause::suggest::Suggestion,
    engine::Engine,
    fold::{Fold, Memos, Past},
    settings::secs,
    state::pack::{pack_by_name, unpack},
};

/// One journal partition.
pub struct Shard {
    settings: Settings,
    core: Core,
    graph: Graph,
    /// Topologies that were in force within the lateness, oldest first.
    past: Vec<Past>,
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
    /// Serials of former topologies whose row is to be dropped, and of those whose row is to be written.
    gone: Vec<u32>,
    kept: Vec<u32>,
    /// Tombstones of domains that were forgotten since the last checkpoint.
    gone_rows: Vec<StateRow>,
}

/// A shard that is put back row by row, so that whoever has the rows need not have all of them as rows at once.
pub struct Restoring(Shard);

impl Restoring {
    /// Whether a row is among those that are wanted before all others: counters name the domain of what belongs to it.
    pub fn comes_first(key: impl AsRef<[u8]>) -> bool {
        key.as_ref().ends_with(META.as_bytes())
    }

    /// Begins with the rows that come first, in any order.
    pub fn begin(settings: Settings, mut first: Vec<(String, Vec<u8>)>) -> Result<Restoring, RestoreError> {
        let mut shard = Shard::new(settings);
        first.sort_unstable();
        for (_, value) in &first {
            shard.adopt(Engine::from_meta(value)?);
        }
        Ok(Restoring(shard))
    }

    /// Puts back one of the others.
    pub fn row(&mut self, key: &str, value: &[u8]) -> Result<(), RestoreError> {
        self.0.restore_row(key, value)
    }

    /// The shard, once all rows are back.
    pub fn done(self) -> Shard {
        let Restoring(mut shard) = self;
        shard.past.sort_by_key(|past| past.serial);
        shard.derive(Engine::wire_up);
        shard
    }
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
    /// Since when the present one is in force.
    since: Time,
    inputs: u64,
    /// Parts of a topology that is not complete yet.
    parts: Vec<TopologyPart>,
    #[serde(default)]
    former: domains::Former,
    #[serde(skip)]
    memos: Memos,
}

impl Core {
    /// The surroundings of a step at `time`.
    fn fold<'a>(
        &'a self,
        graph: &'a Graph,
        past: &'a [Past],
        settings: &'a Settings,
        time: Time,
        out: &'a mut Vec<Output>,
    ) -> Fold<'a> {
        Fold {
            graph,
            serial: self.serial,
            time,
            present: self.present,
            since: self.since,
            past,
            settings,
            memos: &self.memos,
            out,
        }
    }
}

/// Parts of a topology document that may wait for the others.
const PARTS_MAX: usize = 1024;
/// How the key of the row with the counters of a domain ends.
const META: &str = "/meta/";
/// Former topologies that are kept, and how long one must have held for that, in seconds: a change a second costs no more
/// memory than one a minute.
const PAST_MAX: usize = 8;
const PAST_LEAST_S: i64 = 60;

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
                since: Time::MIN,
                inputs: 0,
                parts: Vec::new(),
                former: domains::Former::default(),
                memos: Memos::default(),
            },
            graph: Graph::empty(),
            past: Vec::new(),
            gone: Vec::new(),
            kept: Vec::new(),
            gone_rows: Vec::new(),
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
                    match self.engine_of(event.tenant.as_ref(), event.environment.as_ref(), out) {
                        Ok(index) => self.on(index, self.core.time, out, |engine, fold| {
                            engine.event(event, number, fold)
                        }),
                        Err(domain) => self.without_room(domain, event, number, out),
                    }
                }
                Input::Progress(Progress { to, present }) => {
                    self.core.present = present.or(self.core.present);
                    self.progress(*to, out);
                }
                Input::TopologyPart(part) => self.topology_part(part),
                Input::TopologyChange(change) => {
                    self.progress(change.at, out);
                    self.keep_past(change.at);
                    self.graph.apply(change);
                    self.topology_changes();
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
        let mut none = Vec::new();
        let fold = self
            .core
            .fold(&self.graph, &self.past, &self.settings, self.core.time, &mut none);
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

    /// Entities that keep breaking out together although nothing connects them, in all domains; strongest first.
    pub fn suggestions(&self) -> Vec<Suggestion> {
        let mut all: Vec<Suggestion> = self
            .engines
            .iter()
            .flat_map(|engine| engine.suggestions(&self.graph))
            .collect();
        all.sort_by(|a, b| (b.together, &a.a, &a.b).cmp(&(a.together, &b.a, &b.b)));
        all
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
            ..self.core.former.books
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
            value: packed(&self.core),
        }];
        if std::mem::take(&mut self.topology_changed) {
            let named = NamedTopology {
                version: self.graph.version().into(),
                document: self.graph.document(),
            };
            rows.push(StateRow {
                key: "topology".to_owned(),
                value: packed(&named),
            });
        }
        for serial in std::mem::take(&mut self.gone) {
            rows.push(StateRow {
                key: past_key(serial),
                value: None,
            });
        }
        for serial in std::mem::take(&mut self.kept) {
            if let Some(past) = self.past.iter().find(|past| past.serial == serial) {
                let named = PastTopology {
                    until: past.until,
                    version: past.graph.version().into(),
                    document: past.graph.document(),
                };
                rows.push(StateRow {
                    key: past_key(serial),
                    value: packed(&named),
                });
            }
        }
        for engine in &mut self.engines {
            engine.changed_rows(&mut rows);
        }
        self.take_gone(&mut rows);
        rows
    }

    /// Somebody else may have folded on from the same checkpoint, and have written another where this shard is or before:
    /// the next call of [`Shard::dirty_rows`] removes what only that one has.
    pub fn may_be_written(&mut self) {
        self.engines.iter_mut().for_each(Engine::may_be_written);
    }

    /// A shard from the newest row of each key; order does not matter. No rows at all give a new shard.
    pub fn restore(
        settings: Settings,
        rows: impl IntoIterator<Item = StateRow>,
    ) -> Result<Shard, RestoreError> {
        let (first, rest): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .filter_map(|row| row.value.map(|value| (row.key, value)))
            .partition(|(key, _)| Restoring::comes_first(key));
        let mut restoring = Restoring::begin(settings, first)?;
        for (key, value) in rest {
            restoring.row(&key, &value)?;
        }
        Ok(restoring.done())
    }

    /// Goes on under other settings from here. What they make due happens at the next input or progress.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.derive(Engine::under_other_settings);
    }

    /// Derives in every engine what no row holds; nothing is said of it.
    fn derive(&mut self, what: impl Fn(&mut Engine, &Fold<'_>)) {
        for index in 0..self.engines.len() {
            let mut none = Vec::new();
            let fold = self
                .core
                .fold(&self.graph, &self.past, &self.settings, self.core.time, &mut none);
            what(&mut self.engines[index], &fold);
            self.reschedule(index);
        }
    }

    /// The settings it folds under.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Puts back one row that is not the counters of a domain.
    fn restore_row(&mut self, key: &str, value: &[u8]) -> Result<(), RestoreError> {
        let bad = |reason: String| RestoreError::Row {
            key: key.to_owned(),
            reason,
        };
        match key.split_once('/') {
            None if key == "shard" => {
                self.core = unpack(value).map_err(bad)?;
                let found = self.core.fold_version;
                if !(FOLD_READS_FROM..=FOLD_VERSION).contains(&found) {
                    return Err(RestoreError::Version { found });
                }
                self.core.fold_version = FOLD_VERSION;
            }
            None if key == "topology" => {
                let named: NamedTopology = unpack(value).map_err(bad)?;
                self.graph = Graph::from_document(&named.document, &named.version);
            }
            Some(("topology", serial)) => {
                let serial = serial.parse::<u32>().map_err(|e| bad(e.to_string()))?;
                let named: PastTopology = unpack(value).map_err(bad)?;
                let graph = Graph::from_document(&named.document, &named.version);
                self.past.push(Past {
                    serial,
                    until: named.until,
                    graph,
                });
            }
            Some((tag, rest)) => {
                // A key of a table may hold slashes itself.
                let (table, own) = rest
                    .split_once('/')
                    .ok_or_else(|| bad("no such row".to_owned()))?;
                let tag = u64::from_str_radix(tag, 16).map_err(|e| bad(e.to_string()))?;
                let index = *self
                    .by_tag
                    .get(&DomainTag(tag))
                    .ok_or_else(|| bad("of no known domain".to_owned()))?;
                self.engines[index].restore_row(table, own, value)?;
            }
            None => return Err(bad("no such row".to_owned())),
        }
        Ok(())
    }

    /// Runs one engine within its surroundings and notes its next deadline.
    fn on(
        &mut self,
        index: usize,
        time: Time,
        out: &mut Vec<Output>,
        run: impl FnOnce(&mut Engine, &mut Fold<'_>),
    ) {
        let mut fold = self.core.fold(&self.graph, &self.past, &self.settings, time, out);
        self.engines[index].touched = true;
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

    /// The engine of a domain, or the domain itself if there is no room for one more.
    fn engine_of(
        &mut self,
        tenant: Option<&Text>,
        environment: Option<&Text>,
        out: &mut Vec<Output>,
    ) -> Result<usize, Domain> {
        if let Some((t, e, index)) = &self.last
            && t.as_ref() == tenant
            && e.as_ref() == environment
        {
            return Ok(*index);
        }
        let domain = Domain::new(tenant.map(Text::as_str), environment.map(Text::as_str));
        let index = match self.by_domain.get(&domain).copied() {
            Some(index) => index,
            None if self.has_room(out) => {
                let mut engine = Engine::new(domain);
                self.core.former.number(&mut engine.meta);
                self.adopt(engine)
            }
            None => return Err(domain),
        };
        self.last = Some((tenant.cloned(), environment.cloned(), index));
        Ok(index)
    }

    fn adopt(&mut self, engine: Engine) -> usize {
        let index = self.engines.len();
        self.by_domain.insert(engine.domain.clone(), index);
        self.by_tag.insert(engine.tag, index);
        self.engines.push(engine);
        self.due_of.push(None);
        index
    }

    fn topology_changes(&mut self) {
        self.core.serial += 1;
        self.topology_changed = true;
        for index in 0..self.engines.len() {
            self.engines[index].renew_soon(self.core.serial, self.core.time);
            self.reschedule(index);
        }
    }

    /// Keeps the topology that ends at `at`, so that what comes late is looked up in the one of its time.
    fn keep_past(&mut self, at: Time) {
        let (serial, since) = (self.core.serial, self.core.since);
        self.core.since = since.max(at);
        let oldest = self.core.time.max(at) - secs(self.settings.life.lateness_s);
        let over = |past: &Past| past.until < oldest;
        let mut surplus = self.past.iter().filter(|past| over(past)).count();
        surplus = surplus.max((self.past.len() + 1).saturating_sub(PAST_MAX));
        self.gone
            .extend(self.past.drain(..surplus).map(|past| past.serial));
        // That nothing was known says nothing of what was; and what held for a moment is not worth its memory.
        if self.graph.is_empty() {
            return;
        }
        if at.since(since) < Span::from_secs(PAST_LEAST_S)
            && let Some(before) = self.past.last_mut()
        {
            before.until = before.until.max(at);
            self.kept.push(before.serial);
            return;
        }
        self.past.push(Past {
            serial,
            until: at,
            graph: self.graph.clone(),
        });
        self.kept.push(serial);
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
            self.keep_past(self.core.time);
            self.graph = Graph::from_document(&document, &part.version);
            self.topology_changes();
        }
    }
}

fn past_key(serial: u32) -> String {
    format!("topology/{serial}")
}

#[derive(Serialize, Deserialize)]
struct PastTopology {
    until: Time,
    version: Text,
    document: TopologyDocument,
}

#[derive(Serialize, Deserialize)]
struct NamedTopology {
    version: Text,
    document: TopologyDocument,
}

fn packed(value: &impl Serialize) -> Option<Vec<u8>> {
    Some(pack_by_name(value))
}
