//! The commands as a user types them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

fn stormfold() -> Command {
    Command::new(env!("CARGO_BIN_EXE_stormfold"))
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `testdata/cli` shows is what happens. `TRYCMD=overwrite` writes it anew.
#[test]
fn the_recorded_conversations_hold() {
    trycmd::TestCases::new()
        .register_bin(
            "stormfold",
            trycmd::schema::Bin::Path(env!("CARGO_BIN_EXE_stormfold").into()),
        )
        .case(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/cli/*.md"))
        .case(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kafka.md"));
}

/// The names of the commands, from the list that `help` prints.
fn commands() -> Vec<String> {
    let help = stdout(stormfold().arg("--help"));
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names
        .filter(|name| !name.is_empty() && *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_says_how_it_is_used() {
    let commands = commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in commands {
        let help = stdout(stormfold().args([&command, "--help"]));
        assert!(
            help.contains("Examples:\n"),
            "stormfold {command} --help shows no example"
        );
        assert!(
            help.contains(&format!("  stormfold {command}")),
            "{command}: an example of another command"
        );
    }
}

#[test]
fn the_true_cause_is_confirmed_after_the_end_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (world, truth, topology) = (path("world"), path("truth"), path("topology"));
    let size = ["simulate", "--size", "small", "--seed", "7", "--out", &world];
    stdout(
        stormfold()
            .args(size)
            .args(["--truth", &truth, "--topology", &topology]),
    );
    let replay = ["replay", "-q", "--topology", &topology, "--changes", "-", &world];
    let changes = |more: &[&str]| -> Vec<serde_json::Value> {
        let text = stdout(stormfold().args(replay).args(more));
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let says = |change: &serde_json::Value| change["actor"] == "replay";
    assert!(!changes(&[]).iter().any(says));
    let with = changes(&["--feedback-from", &truth]);
    let mut ended = std::collections::BTreeSet::new();
    let mut said = std::collections::BTreeSet::new();
    for change in &with {
        let id = change["incident_id"].as_str().unwrap().to_owned();
        if change["change"] == "resolved" {
            ended.insert(id.clone());
        }
        if says(change) {
            assert!(ended.contains(&id), "{change}");
            assert!(said.insert(id), "said twice: {change}");
        }
    }
    assert!(said.len() >= 5, "{} of {}", said.len(), ended.len());
}

/// Every way of keeping a critical alert quiet, in one replay: `explain` says by what, since when and until when.
#[test]
fn a_world_in_the_form_of_another_tool_is_scored_by_the_ids_that_follow() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (world, truth, pred) = (path("world"), path("truth"), path("pred"));
    let size = [
        "simulate",
        "--size",
        "small",
        "--seed",
        "7",
        "--form",
        "alertmanager",
    ];
    stdout(stormfold().args(size).args(["--out", &world, "--truth", &truth]));
    stdout(stormfold().args(["replay", "-q", "--assignments", &pred, &world]));
    let score = ["score", "--json", "--truth", &truth, "--pred", &pred];
    let score: serde_json::Value = serde_json::from_str(&stdout(stormfold().args(score))).unwrap();
    let events = std::fs::read_to_string(&world).unwrap().lines().count();
    assert_eq!(score["pred_lines_matched"], events);
    assert!(score["recovered"]["recall"].as_f64().unwrap() > 0.5, "{score:#}");

    std::fs::write(&pred, r#"{"event_id": "of another stream", "incident_id": "i"}"#).unwrap();
    let output = stormfold()
        .args(["score", "--truth", &truth, "--pred", &pred])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("are they of the same events?"), "{said}");
}

#[test]
fn what_is_kept_quiet_can_be_found_by_every_kind() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let at = |minute: u32| format!("2026-03-02T{:02}:{:02}:00Z", 10 + minute / 60, minute % 60);
    let mut lines: Vec<(u32, serde_json::Value)> = Vec::new();
    let mut say = |minute: u32, more: serde_json::Value| {
        let mut event = serde_json::json!({"ts": at(minute), "source": "probe", "severity": "critical", "status": "firing"});
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        event["event_id"] = format!("{}-{minute}-{}", more["title"], more["status"]).into();
        lines.push((minute, event));
    };
    say(
        0,
        serde_json::json!({"kind": "silence", "title": "s", "ends_at": at(800), "labels": {"silence_id": "s1", "matchers": "service=mail", "author": "ann", "reason": "moving"}}),
    );
    say(
        0,
        serde_json::json!({"kind": "maintenance", "title": "m", "ends_at": at(800), "labels": {"maintenance_id": "m1", "matchers": "host=nas-1", "author": "ben", "reason": "new disks"}}),
    );
    // A habit, and a class that recovers by itself: the one is chronic in the end, the other is held.
    for n in 0..8 {
        say(
            n * 12,
            serde_json::json!({"title": "BackupSlow", "service": "nas", "dedup_key": "b"}),
        );
        say(
            n * 12 + 1,
            serde_json::json!({"title": "BackupSlow", "service": "nas", "dedup_key": "b", "status": "resolved"}),
        );
    }
    for n in 0..3 {
        say(
            n * 60,
            serde_json::json!({"title": "LinkDown", "service": "edge", "dedup_key": "l", "severity": "error"}),
        );
        say(
            n * 60 + 1,
            serde_json::json!({"title": "LinkDown", "service": "edge", "dedup_key": "l", "severity": "error", "status": "resolved"}),
        );
    }
    for n in 0..14 {
        say(
            500 + n,
            serde_json::json!({"title": "ProbeFailed", "service": "probe", "dedup_key": "p", "source": "blackbox", "status": (if n % 2 == 0 { "firing" } else { "resolved" })}),
        );
    }
    say(590, serde_json::json!({"title": "QueueFull", "service": "mail"}));
    say(
        591,
        serde_json::json!({"title": "HostDown", "service": "nas2", "host": "nas-1"}),
    );
    say(
        592,
        serde_json::json!({"title": "ClusterDown", "service": "ctl", "labels": {"cluster": "eu-1"}}),
    );
    say(565, serde_json::json!({"title": "DatabaseDown", "service": "db"}));
    say(594, serde_json::json!({"title": "SsoFailed", "service": "sso"}));
    say(
        595,
        serde_json::json!({"title": "TillDown", "service": "till", "labels": {"cluster": "eu-1"}}),
    );
    say(
        595,
        serde_json::json!({"title": "HighErrorRate", "service": "web", "severity": "error"}),
    );
    say(
        595,
        serde_json::json!({"title": "TestBroken", "service": "ci", "host": "test-1"}),
    );
    say(
        605,
        serde_json::json!({"title": "LinkDown", "service": "edge", "dedup_key": "l", "severity": "error"}),
    );
    say(606, serde_json::json!({"kind": "heartbeat", "title": "later"}));
    lines.sort_by_key(|(minute, _)| *minute);
    let events: String = lines.iter().map(|(_, event)| format!("{event}\n")).collect();
    std::fs::write(path("events"), events).unwrap();
    let config = r#"
page: {hold_alerts_min: 2, hold_probability: 0.7}
suppress:
  drop: [{name: test hosts, matchers: 'host=~"test-.*"'}]
  thresholds: [{name: logins, matchers: 'title="SsoFailed"', count: 3}]
  inhibit: [{name: cluster, source: 'title="ClusterDown"', target: 'title="TillDown"', equal: [cluster]}]
"#;
    std::fs::write(path("config.yaml"), config).unwrap();
    let nodes = [
        "web", "db", "mail", "nas", "nas2", "edge", "probe", "ctl", "till", "sso",
    ];
    let nodes: Vec<_> = nodes
        .iter()
        .map(|id| serde_json::json!({"id": id, "kind": "service"}))
        .collect();
    let edges = serde_json::json!([{"from": "web", "to": "db", "kind": "calls"}]);
    let topology = serde_json::json!({"nodes": nodes, "edges": edges}).to_string();
    std::fs::write(path("topology"), topology).unwrap();
    let files = ["incidents", "changes"].map(|name| (format!("--{name}"), path(name)));
    let mut replay = stormfold();
    replay.args([
        "replay",
        "-q",
        "--no-settle",
        "--config",
        &path("config.yaml"),
        "--topology",
        &path("topology"),
    ]);
    files.iter().for_each(|(option, file)| {
        replay.args([option, file]);
    });
    stdout(replay.arg(path("events")));
    let [incidents, changes] = ["incidents", "changes"].map(path);
    let explain = |more: &[&str]| {
        stdout(
            stormfold()
                .args(["explain", "--incidents", &incidents])
                .args(more),
        )
    };

    let all = explain(&["--suppressed"]);
    let kinds = [
        (
            "QueueFull",
            "by silence s1, since 2026-03-02T19:50:",
            "until 2026-03-02T23:20:00Z",
            "silence by ann: moving",
        ),
        (
            "HostDown",
            "by maintenance m1, since 2026-03-02T19:51:",
            "until 2026-03-02T23:20:00Z",
            "maintenance by ben: new disks",
        ),
        (
            "TillDown",
            "by alert ",
            "until it changes",
            "explained by ClusterDown on ctl, by rule cluster",
        ),
        (
            "HighErrorRate",
            "by alert ",
            "until it changes",
            "explained by DatabaseDown on db, 1 step down the graph",
        ),
        (
            "SsoFailed",
            "by threshold, since 2026-03-02T19:54:",
            "until it changes",
            "1 of 3 times within 300 s, by rule logins",
        ),
        (
            "BackupSlow",
            "by habit, since 2026-03-02T11:",
            "until it changes",
            "chronic: came alone",
        ),
        (
            "TestBroken",
            "by drop, since 2026-03-02T19:55:00Z",
            "until it changes",
            "dropped by rule test hosts",
        ),
        (
            "LinkDown",
            "by hold, since 2026-03-02T20:05:",
            "until 2026-03-02T20:07:00Z",
            "recover within 120 s",
        ),
    ];
    for (title, by, until, reason) in kinds {
        for told in [all.clone(), explain(&["--alert", title, "--changes", &changes])] {
            let found = told.lines().zip(told.lines().skip(1)).any(|(line, next)| {
                line.contains(title) && line.contains(by) && line.contains(until) && next.contains(reason)
            });
            assert!(found, "{title}: {by} {until} {reason}\n{told}");
        }
    }
    let flaps = explain(&["--alert", "ProbeFailed", "--changes", &changes]);
    assert!(
        flaps.contains("flapping  in ") && flaps.contains(": on"),
        "{flaps}"
    );
    // Nobody is woken for any of this while the mode is `observe`, and that is said, too.
    let observed = explain(&["--alert", "ClusterDown"]);
    assert!(
        observed.contains("page      due, 1 time due") && observed.contains("(mode observe)"),
        "{observed}"
    );
}

/// Nine events by hand: five of a silenced alert, of which three came before it was settled; two of one that pages, and a
/// copy of its first; and a recovery of nothing. Every definition says the same in `replay` and in `stats`.
#[test]
fn noise_reduction_is_reckoned_right() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let event = |id: &str, at: &str, key: &str, status: &str| {
        serde_json::json!({
            "event_id": id, "ts": format!("2026-03-02T10:{at}Z"), "source": "probe", "dedup_key": key, "title": "DiskFull",
            "severity": "critical", "service": key, "status": status,
        })
        .to_string()
    };
    let silence = r#"{"kind": "silence", "title": "s", "ts": "2026-03-02T10:00:00Z", "ends_at": "2026-03-02T11:00:00Z", "labels": {"silence_id": "s1", "matchers": "service=mail", "author": "ann", "reason": "moving house"}}"#;
    let events = [
        silence.to_owned(),
        event("m1", "01:00", "mail", "firing"),
        event("m2", "01:03", "mail", "firing"),
        event("m3", "01:06", "mail", "firing"),
        event("m4", "02:00", "mail", "firing"),
        event("d1", "03:00", "db", "firing"),
        event("d1", "03:00", "db", "firing"),
        event("r1", "04:00", "web", "resolved"),
        event("d2", "13:00", "db", "resolved"),
        event("m5", "20:00", "mail", "resolved"),
    ];
    std::fs::write(path("events"), events.join("\n")).unwrap();
    let expected = [
        "events to alerts       77.8 %  9 to 2",
        "alerts to incidents     0.0 %  2 to 2",
        "incidents to pages     50.0 %  2 to 1",
        "events to incidents    77.8 %  9 to 2",
        "alerts to pages        50.0 %  2 to 1",
        "events kept quiet      66.7 %  6 of 9, ",
        "real alerts lost          ?    only `--truth FILE` can tell",
        "first alert to page  median 10 s, 95 % within 10 s, longest 10 s",
        "  of error or worse  median 10 s, 95 % within 10 s, longest 10 s",
    ];
    let files = [
        "--assignments",
        &path("assignments"),
        "--incidents",
        &path("incidents"),
    ];
    let mut told = Vec::new();
    for files in [&files[..], &[]] {
        let output = stormfold()
            .arg("replay")
            .args(files)
            .arg(path("events"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        told.push(String::from_utf8(output.stderr).unwrap());
    }
    let stats = [
        "--assignments",
        &path("assignments"),
        "--incidents",
        &path("incidents"),
    ];
    told.push(stdout(stormfold().arg("stats").args(stats)));
    for (told, when) in told.iter().zip(["in the end", "as they came", "in the end"]) {
        assert!(told.contains(&format!("6 of 9, {when}\n")), "{when}\n{told}");
        for line in expected {
            assert!(told.contains(line), "{line}\n{told}");
        }
    }
}

#[test]
fn replay_and_stats_mean_the_same_by_each_word() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    stdout(stormfold().args(["demo", "--write", &path("shop")]));
    let (assignments, incidents) = (path("assignments"), path("incidents"));
    let files = ["--assignments", &assignments, "--incidents", &incidents];
    let replay = stormfold()
        .args(["replay", "--topology", &path("shop/topology.json")])
        .args(files)
        .arg(path("shop/events.jsonl"))
        .output()
        .unwrap();
    let told = String::from_utf8(replay.stderr).unwrap();
    let (_, told) = told.split_once("definitions:\n").unwrap();
    let told: Vec<&str> = told.lines().map(|line| &line[4..]).collect();
    let stats = stdout(stormfold().arg("stats").args(files));
    assert_eq!(told, stats.lines().collect::<Vec<_>>());
    // What comes back within its incident, as things of the story do, is no other alert.
    assert!(stats.contains(" 345 to 23\n"), "{stats}");
    // What is kept quiet is on a list that names its thing, not another part of its system.
    let listed = stdout(stormfold().args(["explain", "--incidents", &incidents]));
    for title in ["Kept quiet around image-proxy\n", "Kept quiet around reports\n"] {
        assert!(listed.contains(title), "{listed}");
    }
}

#[test]
fn a_dry_run_says_what_would_be_suppressed() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("c.yaml");
    let body = dir.path().join("body.json");
    std::fs::write(
        &config,
        "suppress:\n  drop:\n    - {name: test hosts, matchers: 'host=~\"test-.*\"'}\n",
    )
    .unwrap();
    let explained = |host: &str| {
        let text =
            format!(r#"{{"title":"Disk is full","severity":"critical","status":"firing","host":"{host}"}}"#);
        std::fs::write(&body, text).unwrap();
        stdout(
            stormfold()
                .args(["normalize", "--explain", "--config"])
                .arg(&config)
                .arg(&body),
        )
    };
    let test = explained("test-3");
    assert!(test.contains("suppressed dropped by rule test hosts"), "{test}");
    let live = explained("till-3");
    assert!(!live.contains("suppressed"), "{live}");
}
