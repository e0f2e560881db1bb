//! End to end on a real Apache Kafka.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Span, Time};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use stream::log::faults::Seeded;
use stream::log::kafka::{KafkaLog, Properties};
use stream::log::local::LocalLog;
use stream::log::{Log, TopicName, TopicPartition, TopicSpec};
use stream::{
    Handle, Pipeline, RawTopic, SetClock, Settings, Stage, SystemClock, TopicTime, Topics, WorkerState,
    topics,
};

use crate::broker::{Broker, script};
use crate::events;
use crate::house::{House, PARTITIONS, Published, back_test, published, read, replayed};

fn connect(address: &str) -> Arc<dyn Log> {
    // `RUST_LOG=stream=debug` shows what a pipeline says of itself.
    let said = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env());
    let _ = said.with_writer(std::io::stderr).try_init();
    // Short, so that those who are dead or stand still are soon replaced.
    let session = [("session.timeout.ms", "3000"), ("heartbeat.interval.ms", "300")];
    let all = session.into_iter().chain([("bootstrap.servers", address)]);
    let properties = Properties::new(all.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    Arc::new(KafkaLog::new(properties).unwrap())
}

fn settings(prefix: &str, instance: &str) -> Settings {
    let raw = RawTopic {
        name: format!("{prefix}alerts").into(),
        source: None,
        time: TopicTime::Records,
    };
    Settings {
        instance: instance.to_owned(),
        topics: Topics::with_prefix(prefix),
        raw: vec![raw],
        // Small steps, so that there are many commits to be killed in.
        batch_records_max: 40,
        commit_interval: Duration::from_millis(10),
        checkpoint_interval: Span::from_millis(200),
        ..back_test()
    }
}

/// What a run without faults publishes, on the log in memory.
fn expected(prefix: &str, sent: &[events::Sent]) -> Published {
    let clock = Arc::new(SetClock::new(Time::from_secs(1_800_000_000)));
    let log = LocalLog::memory(clock.clone());
    let mut house = House::new(settings(prefix, "calm"), Arc::new(log), clock);
    house.append(events::records(&house.settings.raw[0].name, 3, sent));
    house.run();
    house.published()
}

fn produce(log: &dyn Log, topic: &TopicName, sent: &[events::Sent]) {
    log.appender()
        .unwrap()
        .append(events::records(topic, 3, sent))
        .unwrap();
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{what} does not happen"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many partitions the workers of one half hold.
fn held(handle: &Handle, stage: Stage) -> usize {
    let health = handle.health();
    let held = health
        .workers
        .iter()
        .filter(|worker| worker.stage == stage)
        .map(|worker| match worker.state {
            WorkerState::Running { partitions } => partitions,
            _ => 0,
        });
    held.sum()
}

/// Whether these pipelines have all of the work.
fn have_all(handles: &[Handle]) -> bool {
    let held = |stage| handles.iter().map(|handle| held(handle, stage)).sum::<usize>();
    held(Stage::Ingest) == PARTITIONS as usize && held(Stage::Correlate) == PARTITIONS as usize
}

/// Waits until everything that was sent has been published. Every instance that was killed must be among `handles`:
/// what it left open is given up when it starts again, and else ten seconds later; until then it hides all behind it.
fn finish(handles: Vec<Handle>) {
    let mut since: Option<Instant> = None;
    wait_until("the end of the backlog", || {
        assert_eq!(handles.iter().find_map(Handle::failure), None);
        let done = have_all(&handles) && handles.iter().all(Handle::is_caught_up);
        since = since.filter(|_| done).or_else(|| done.then(Instant::now));
        // Long enough for what ingest has just written to be seen by correlate, and for a rebalance to come.
        since.is_some_and(|since| since.elapsed() > Duration::from_millis(1_500))
    });
    handles.into_iter().for_each(Handle::stop);
}

#[test]
fn a_backlog_on_kafka_gives_what_memory_gives() {
    let broker = Broker::get();
    let prefix = Broker::prefix("backlog");
    let log = connect(&broker.address);
    let settings = settings(&prefix, "a");
    let sent = events::shop(7, 600);
    assert_eq!(
        topics::check(log.as_ref(), &settings).unwrap().len(),
        topics::wanted(&settings).len()
    );
    topics::create(log.as_ref(), &settings).unwrap();
    wait_until("the topics", || {
        topics::check(log.as_ref(), &settings).unwrap().is_empty()
    });
    produce(log.as_ref(), &settings.raw[0].name, &sent);
    let handle = Pipeline::start(settings.clone(), log.clone(), Arc::new(SystemClock)).unwrap();
    wait_until("readiness", || handle.health().ready);
    finish(vec![handle]);
    let found = published(log.as_ref(), &settings);
    assert!(found.changes.values().map(Vec::len).sum::<usize>() > 100);
    assert_eq!(found.difference(&expected(&prefix, &sent)), None);
    assert_eq!(
        found.difference(&replayed(log.as_ref(), &settings)),
        None,
        "a replay differs"
    );
}

/// Somebody who was given a partition may find it before the end of the last transaction in it is written there.
#[test]
fn what_is_decided_waits_for_an_open_transaction() {
    let broker = Broker::get();
    let name: TopicName = format!("{}decided", Broker::prefix("decided")).into();
    let log = connect(&broker.address);
    let spec = TopicSpec {
        name: name.clone(),
        partitions: 1,
        settings: Vec::new(),
    };
    log.create_topics(&[spec]).unwrap();
    let at = TopicPartition::new(&name, 0);
    assert_eq!(log.decided(&at).unwrap().end, 0, "nothing is open in it");

    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &broker.address)
        .set("transactional.id", &*name)
        .create()
        .unwrap();
    let wait = Duration::from_secs(30);
    producer.init_transactions(wait).unwrap();
    producer.begin_transaction().unwrap();
    let record = BaseRecord::to(&name).partition(0).key("key").payload("value");
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(wait).unwrap();
    assert_eq!(log.bounds(&at).unwrap().end, 0, "its end is open");

    let waiting = std::thread::spawn({
        let (log, at) = (log.clone(), at.clone());
        move || log.decided(&at)
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished(), "the transaction is not decided");
    producer.commit_transaction(wait).unwrap();
    let end = waiting.join().unwrap().unwrap().end;
    assert!(end >= 1, "the record is seen, as {end} says");
}

/// A worker process of its own, which is killed when the test ends.
struct Process(Child);

impl Process {
    fn start(address: &str, prefix: &str, instance: &str) -> Process {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "kafka::kill_9_loses_and_doubles_nothing",
                "--exact",
                "--nocapture",
            ])
            .env(WORKER, format!("{address} {prefix} {instance}"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Process(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn signal(&self, signal: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill $0 $1", signal, &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }
}

fn start(settings: &Settings, instance: &str, log: &Arc<dyn Log>) -> Handle {
    let settings = Settings {
        instance: instance.to_owned(),
        ..settings.clone()
    };
    Pipeline::start(settings, log.clone(), Arc::new(SystemClock)).unwrap()
}

/// Topics with a backlog in them, and what a calm run publishes of it.
fn prepare(address: &str, name: &str, events: usize) -> (Arc<dyn Log>, Settings, Published) {
    let prefix = Broker::prefix(name);
    let log = connect(address);
    let settings = settings(&prefix, "a");
    let sent = events::shop(8, events);
    topics::create(log.as_ref(), &settings).unwrap();
    wait_until("the topics", || {
        topics::check(log.as_ref(), &settings).unwrap().is_empty()
    });
    produce(log.as_ref(), &settings.raw[0].name, &sent);
    let expected = expected(&prefix, &sent);
    (log, settings, expected)
}

fn check(log: &dyn Log, settings: &Settings, expected: &Published) {
    let found = published(log, settings);
    assert_eq!(
        found.difference(&replayed(log, settings)),
        None,
        "a replay differs"
    );
    assert_eq!(
        found.difference(expected),
        None,
        "something else is published than by a calm run"
    );
}

/// Tells the test of killed workers that it is one of them: address, prefix and instance.
const WORKER: &str = "STORMFOLD_TEST_WORKER";

/// The worker that tests kill; it does not end by itself.
fn work(told: &str) -> ! {
    let told: Vec<&str> = told.split(' ').collect();
    let log = connect(told[0]);
    let _handle = Pipeline::start(settings(told[1], told[2]), log, Arc::new(SystemClock)).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn kill_9_loses_and_doubles_nothing() {
    if let Ok(told) = std::env::var(WORKER) {
        work(&told);
    }
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let kills = number("STORMFOLD_KILLS").unwrap_or(6);
    let mut dice = Seeded::new(number("STORMFOLD_SEED").unwrap_or(1), 0);
    let broker = Broker::get();
    let (log, settings, expected) = prepare(&broker.address, "kill", 1_500 + 250 * kills as usize);
    let prefix = &settings.topics.prefix;
    let mut workers = ["a", "b"].map(|instance| Process::start(&broker.address, prefix, instance));
    for kill in 0..kills {
        std::thread::sleep(Duration::from_millis(300 + dice.roll() % 700));
        let which = (kill % 2) as usize;
        workers[which].0.kill().unwrap();
        workers[which] = Process::start(&broker.address, prefix, ["a", "b"][which]);
    }
    drop(workers);
    finish(["a", "b"].map(|instance| start(&settings, instance, &log)).into());
    check(log.as_ref(), &settings, &expected);
}

#[test]
fn a_worker_that_stands_still_is_replaced_and_fenced() {
    let broker = Broker::get();
    let (log, settings, expected) = prepare(&broker.address, "still", 2_500);
    let mut one = Process::start(&broker.address, &settings.topics.prefix, "a");
    let topic = &settings.topics.changes;
    let changed = || {
        read(log.as_ref(), topic)
            .values()
            .any(|changes| !changes.is_empty())
    };
    wait_until("the first change", changed);
    one.signal("-STOP");
    let handle = start(&settings, "b", &log);
    wait_until("the takeover", || have_all(std::slice::from_ref(&handle)));
    one.signal("-CONT");
    // It joins again and takes a share, or finds nothing left to do; then it dies.
    wait_until("more changes", || handle.counters().changes.get() > 0);
    one.0.kill().unwrap();
    finish(vec![handle, start(&settings, "a", &log)]);
    check(log.as_ref(), &settings, &expected);
}

/// Removes the broker of one test when it ends.
struct Own(&'static str);

impl Drop for Own {
    fn drop(&mut self) {
        script("wipe", self.0);
    }
}

/// The only broker is taken away twice. Killed ones are chaos's (`--faults broker`): what a coordinator forgets with its only
/// copy is Kafka's (docs/reliability.md), and a test must not fail for it.
#[test]
fn broker_outages_lose_and_double_nothing() {
    let own = Own("29192");
    let address = script("start", own.0);
    let (log, settings, expected) = prepare(&address, "outage", 3_000);
    let handle = Pipeline::start(settings.clone(), log.clone(), Arc::new(SystemClock)).unwrap();
    let more = |than: u64| wait_until("more changes", || handle.counters().changes.get() > than);
    more(0);
    script("stop", own.0);
    script("start", own.0);
    more(handle.counters().changes.get());
    script("stop", own.0);
    script("start", own.0);
    finish(vec![handle]);
    check(log.as_ref(), &settings, &expected);
}
