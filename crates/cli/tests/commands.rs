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
