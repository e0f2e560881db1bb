//! A worker whose turn does not end cannot say so itself; readiness tells of it all the same, and liveness waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::{Output, Shard};
use model::Input;
use stream::log::local::LocalLog;
use stream::log::{Log, Outgoing};
use stream::{Pipeline, Settings, SystemClock, topics};

/// Whether folding stands still.
static STANDS: AtomicBool = AtomicBool::new(true);

fn stands_still(shard: &mut Shard, inputs: &[Input], out: &mut Vec<Output>) {
    while inputs.iter().any(|input| matches!(input, Input::Event(_))) && STANDS.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(10));
    }
    shard.step(inputs, out);
}

#[test]
fn a_fold_that_stands_still_ends_readiness_within_ten_seconds() {
    let settings = Settings {
        step: stands_still,
        ..Settings::default()
    };
    let log = Arc::new(LocalLog::memory(Arc::new(SystemClock)));
    topics::create(log.as_ref(), &settings).unwrap();
    let raw = settings.topics.raw.clone();
    let handle = Pipeline::start(settings, log.clone(), Arc::new(SystemClock)).unwrap();
    let wait = |what: &str, holds: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !holds() {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "{what}: {:?}",
                handle.health()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait("readiness", &|| handle.health().ready);
    let event = br#"{"source": "probe", "status": "firing", "title": "down", "service": "web"}"#;
    let record = Outgoing::to(&raw, 0, "k", Some(event.to_vec()));
    log.appender().unwrap().append(vec![record]).unwrap();
    wait("the end of readiness", &|| !handle.health().ready);
    let health = handle.health();
    assert!(
        health.reasons.iter().any(|reason| reason.contains("correlate")),
        "{health:?}"
    );
    assert!(
        health.workers.iter().all(|worker| !worker.dead),
        "a restart may not help yet: {health:?}"
    );
    STANDS.store(false, Ordering::Release);
    wait("readiness again", &|| handle.health().ready);
    handle.stop();
}
