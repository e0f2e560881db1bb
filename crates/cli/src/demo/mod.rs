//! `stormfold demo`: a web shop on a bad morning, folded before your eyes. No broker, no configuration.
//!
//! What runs is what `stormfold run` runs: both loops of the pipeline, on the embedded log on disk, in a folder that
//! is removed at the end. The story ([`sim::story`]) is written into a raw topic in fast motion, with heartbeats
//! between its events so that timers run out in story time, and the lines printed are read back from the topics
//! that consumers read.

mod screen;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use model::{AlertId, Span, Time};
use sim::story::Story;
use stream::{
    Handle, Pipeline, RawTopic, Settings, SystemClock, TopicTime,
    log::{Log, LogError, Outgoing, Reader, Record, TopicName, TopicPartition, local::LocalLog},
};

use crate::fail::{Done, Failure};

use self::screen::{Screen, Told};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// No pauses between the events of the story, as when the output is no terminal.
    #[arg(long)]
    fast: bool,
    /// Instead of showing the story, write it into this folder: events.jsonl and topology.json.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  stormfold demo
  stormfold demo --write shop
  stormfold replay --topology shop/topology.json --incidents - shop/events.jsonl";

/// Stream time runs on for so long after the last event, in steps, until everything is over.
const AFTERMATH: Span = Span::from_mins(30);
/// Story time between two heartbeats: timers run out to this precision.
const TICK: Span = Span::from_secs(5);
/// Story time written together at most.
const TICKS_AT_ONCE: Span = Span::from_mins(1);
/// How long a tick lasts for those who watch.
const PAUSE: Duration = Duration::from_millis(22);
/// The pipeline answers within this time, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the command.
pub(crate) fn run(args: &Args) -> Done {
    let story = sim::story::shop();
    match &args.write {
        Some(folder) => write(&story, folder),
        None => show(&story, args.fast),
    }
}

fn write(story: &Story, folder: &std::path::Path) -> Done {
    let failed = |e| Failure::io(folder.display(), e);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let lines: String = story.lines().map(|line| line + "\n").collect();
    std::fs::write(folder.join("events.jsonl"), lines).map_err(failed)?;
    let topology = sim::world::topology_json(&story.topology);
    std::fs::write(folder.join("topology.json"), topology).map_err(failed)?;
    let folder = folder.display();
    crate::terminal::say(&format!(
        "wrote {} events; try:\n  stormfold replay --topology {folder}/topology.json --incidents - {folder}/events.jsonl",
        story.events.len()
    ));
    Ok(())
}

fn show(story: &Story, fast: bool) -> Done {
    let mut screen = Screen::new(story);
    let pauses = screen.is_live() && !fast;
    screen.title().map_err(out)?;
    let folder = tempfile::tempdir().map_err(|e| Failure::io("a temporary folder", e))?;
    let mut stage = Stage::set(story, folder.path()).map_err(broken)?;
    let began = Instant::now();
    let last = story.events.last().map_or(story.start, |e| e.received_at);
    let mut events = story.events.iter().zip(story.lines()).peekable();
    let mut now = story.start;
    while now < last + AFTERMATH && !(now > last && stage.is_over(story)) {
        // Up to the next tick in which something is said, and a minute at most, goes in one write.
        let mut records = Vec::new();
        let began = now;
        while now.since(began) < TICKS_AT_ONCE && !records.iter().any(|(_, _, what)| *what == What::Event) {
            now = now + TICK;
            while let Some((event, line)) = events.next_if(|(event, _)| event.received_at <= now) {
                records.push((event.received_at, line, What::Event));
            }
            records.push((now, heartbeat(now), What::Heartbeat));
        }
        stage.say(records).map_err(broken)?;
        stage.await_fold()?;
        screen.tell(now, &mut stage.told).map_err(out)?;
        if pauses {
            let ticks = (now.since(began).secs() / TICK.secs()) as u32;
            std::thread::sleep(PAUSE * ticks);
        }
    }
    // The story is told; wait for the last of what follows from it.
    let told = Instant::now();
    while !stage.is_over(story) {
        stage.patience(told)?;
        stage.listen(Duration::from_millis(20)).map_err(broken)?;
        screen.tell(now, &mut stage.told).map_err(out)?;
    }
    let books = stage.handle.books();
    stage.handle.stop();
    screen.summary(&books, began.elapsed()).map_err(out)
}

fn out(error: std::io::Error) -> Failure {
    Failure::io("standard output", error)
}

fn broken(error: LogError) -> Failure {
    Failure::Run(error.to_string())
}

/// The pipeline on an embedded log, and the reader at its end.
struct Stage {
    log: LocalLog,
    raw: TopicName,
    handle: Handle,
    reader: Box<dyn Reader>,
    changes: TopicPartition,
    told: Vec<Told>,
    open: BTreeMap<model::IncidentId, bool>,
    lists: BTreeSet<model::IncidentId>,
    /// Events written so far.
    said: u64,
}

/// What a record of the story is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Event,
    Heartbeat,
}

impl Stage {
    fn set(story: &Story, folder: &std::path::Path) -> Result<Stage, LogError> {
        let clock = Arc::new(SystemClock);
        let log = LocalLog::open(&folder.join("demo.log"), clock.clone())?;
        let raw = TopicName::from("shop.events");
        let topology = serde_json::to_string(&story.topology).expect("a topology is plain data");
        let settings = Settings {
            raw: vec![RawTopic {
                name: raw.clone(),
                source: None,
                time: TopicTime::Records,
            }],
            partitions: 1,
            topology: wire::topology_parts(&topology).expect("the story's topology is well formed"),
            ..Settings::default()
        };
        stream::topics::create(&log, &settings)?;
        let changes = TopicPartition::new(&settings.topics.changes, 0);
        let incidents = TopicPartition::new(&settings.topics.incidents, 0);
        let mut reader = log.reader()?;
        reader.assign(&[(changes.clone(), 0), (incidents, 0)])?;
        let handle = Pipeline::start(settings, Arc::new(log.clone()), clock)?;
        Ok(Stage {
            log,
            raw,
            handle,
            reader,
            changes,
            told: Vec::new(),
            open: BTreeMap::new(),
            lists: BTreeSet::new(),
            said: 0,
        })
    }

    /// Writes records into the raw topic, with their story times.
    fn say(&mut self, records: Vec<(Time, String, What)>) -> Result<(), LogError> {
        self.said += records.iter().filter(|(_, _, what)| *what == What::Event).count() as u64;
        let record = |(at, line, _): (Time, String, What)| Outgoing {
            timestamp: Some(at),
            ..Outgoing::to(&self.raw, 0, "", Some(line.into_bytes()))
        };
        self.log
            .appender()?
            .append(records.into_iter().map(record).collect())
    }

    /// Waits until every event written was folded, and reads what followed.
    fn await_fold(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        while self.handle.books().events < self.said {
            self.patience(began)?;
            self.listen(Duration::from_millis(1)).map_err(broken)?;
        }
        self.listen(Duration::ZERO).map_err(broken)
    }

    /// Gives up on a pipeline that says why it stands still, or that does so for too long.
    fn patience(&self, since: Instant) -> Done {
        if let Some(why) = self.handle.failure() {
            return Err(Failure::Run(why));
        }
        if since.elapsed() > PATIENCE {
            return Err(Failure::Run("the pipeline stands still".to_owned()));
        }
        Ok(())
    }

    /// Reads what consumers read. Of what was committed together, incidents come first: changes refer to them.
    fn listen(&mut self, wait: Duration) -> Result<(), LogError> {
        let mut records: Vec<Record> = Vec::new();
        self.reader.poll(wait, 1_000, &mut records)?;
        let (changes, incidents): (Vec<Record>, Vec<Record>) =
            records.into_iter().partition(|r| r.at == self.changes);
        for value in incidents.iter().filter_map(|r| r.value.as_ref()) {
            if let Ok(incident) = wire::record::read_incident(value) {
                // Lists of what is kept quiet are no part of the story.
                if incident.flags.iter().any(|flag| flag == "background") {
                    self.lists.insert(incident.incident_id);
                    continue;
                }
                self.open
                    .insert(incident.incident_id, incident.resolved_at.is_none());
                self.told.push(Told::Incident(Box::new(incident)));
            }
        }
        for value in changes.iter().filter_map(|r| r.value.as_ref()) {
            if let Ok(change) = wire::record::read_change(value)
                && !self.lists.contains(&change.incident_id)
            {
                self.told.push(Told::Change(Box::new(change)));
            }
        }
        Ok(())
    }

    /// Whether every event was folded and every incident is over.
    fn is_over(&self, story: &Story) -> bool {
        let folded = self.handle.books().events >= story.events.len() as u64;
        folded && self.handle.is_caught_up() && self.told.is_empty() && self.open.values().all(|open| !open)
    }
}

fn heartbeat(at: Time) -> String {
    format!(r#"{{"kind":"heartbeat","source":"demo","title":"heartbeat","status":"info","ts":"{at}"}}"#)
}

/// Where each alert of the story comes from: its place and title.
fn alerts(story: &Story) -> BTreeMap<AlertId, (String, String)> {
    let mut alerts = BTreeMap::new();
    for event in story.events.iter().filter(|e| e.kind == model::EventKind::Alert) {
        let place = event.service.as_deref().or(event.host.as_deref()).unwrap_or("-");
        let id = AlertId::new(&event.domain(), &event.dedup_key);
        alerts
            .entry(id)
            .or_insert_with(|| (place.to_owned(), event.title.to_string()));
    }
    alerts
}
