//! Going live: what was only written down in `observe` is due once when pages become real.

use engine::{Output, Settings, Shard};
use model::{Change, ChangeKind, PageMode, Span};
use sim::scenario::Scenario;

const UPPER: &str = "\
node web
node db
node mail
     0s firing web \"HighErrorRate\" severity=critical key=w
  1m    firing db \"DiskFull\" severity=critical key=d
  2m    firing mail \"QueueStuck\" severity=critical key=m
  3m    ack - \"mine\" key=m actor=ann
  4m    resolved web \"HighErrorRate\" severity=critical key=w
";

fn with(mode: PageMode) -> Settings {
    let mut settings = Settings::default();
    settings.page.mode = mode;
    settings
}

fn pages(out: &[Output], kind: ChangeKind) -> Vec<&Change> {
    out.iter()
        .filter_map(|output| match output {
            Output::Change(change) if change.change == kind => Some(change.as_ref()),
            _ => None,
        })
        .collect()
}

#[test]
fn what_still_fires_and_nobody_has_is_due_once_when_pages_become_real() {
    let scenario = Scenario::parse(UPPER).unwrap();
    let at = |minutes: i64| scenario.start + Span::from_mins(minutes);
    let mut shard = Shard::new(with(PageMode::Observe));
    let mut observed = Vec::new();
    shard.step(&scenario.inputs, &mut observed);
    shard.progress(at(5), &mut observed);
    let due = pages(&observed, ChangeKind::PageDue);
    assert_eq!(due.len(), 3, "three incidents, each decided once");
    assert!(due.iter().all(|page| page.mode == Some(PageMode::Observe)));

    let rows = shard.dirty_rows();
    let mut live = Shard::restore(with(PageMode::Live), rows).unwrap();
    let mut out = Vec::new();
    live.progress(at(20), &mut out);
    let due = pages(&out, ChangeKind::PageDue);
    assert_eq!(due.len(), 1, "{due:?}");
    assert_eq!(due[0].mode, Some(PageMode::Live));
    let record = live.incident(due[0].incident_id).unwrap();
    assert_eq!(
        record.alerts[0].title, "DiskFull",
        "the one that still fires and nobody took"
    );
    assert_eq!((record.page.mode, record.page.seq), (PageMode::Live, 2));
    // Nobody was woken for the one that is over, so nobody is told of its end as if.
    let closed = pages(&out, ChangeKind::PageClosed);
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].mode, Some(PageMode::Observe));
}

#[test]
fn a_record_says_how_often_an_alert_repeats() {
    let text = "0s firing web \"Slow\" key=w\n30s firing web \"Slow\" key=w\n2m firing web \"Slow\" key=w\n";
    let scenario = Scenario::parse(text).unwrap();
    let mut shard = Shard::new(with(PageMode::Observe));
    shard.step(&scenario.inputs, &mut Vec::new());
    shard.progress(scenario.start + Span::from_mins(3), &mut Vec::new());
    let alert = shard.incidents().remove(0).alerts.remove(0);
    assert_eq!((alert.count, alert.rate), (3, Some(1.0)));
    assert_eq!(alert.first_at, scenario.start);
    assert_eq!(alert.last_at, scenario.start + Span::from_mins(2));
}
