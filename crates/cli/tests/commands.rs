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
