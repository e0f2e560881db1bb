//! What is run by hand or by CI beside the tests: `cargo xtask sim`, `hot`, `chaos`, `latency`, `restore`, `gap`.

use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask sim [--seeds N] [--from S] [--events E]
    The whole pipeline on the simulated log: N seeds (10000) from S (0) on, each of E (1000) events and about as many
    minutes as seconds of a failing shop. Prints what happened; the exit status is 0 only if every promise held.
cargo xtask hot [--events N]
    N (1000000) events, nine tenths of them of one service, folded beside as many that are spread evenly: throughput, and
    what an event of another service takes. The exit status is 0 only if both stay within what is asked.
cargo xtask chaos [--kills N] [--events M] [--seed S] [--workers W] [--faults LIST]
    Faults around real processes on a real Apache Kafka. Prints `lost L doubled D differing X`; the exit status is 0 only
    if all are 0. `cargo xtask chaos --help` tells the rest.
cargo xtask latency [--rate N] [--seconds N]
    From a raw topic to the topic of changes at N (10000) events a second for N (20) s, beside two bare transactional
    hops: p50, p99, and the CPU of each hop and of the broker.
cargo xtask restore [--alerts N] [--times N]
    N (300000) active alerts, restored N (5) times: time until ready, memory and state bytes an alert.
cargo xtask gap [--kills N] [--rate N]
    One of two correlate workers is killed N (6) times, in turn started again at once and left dead, at N (5000) events a
    second: how long until everything flows again.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first().map(|(command, rest)| (command.as_str(), rest)) {
        Some(("sim", rest)) => sim(rest),
        Some(("hot", rest)) => hot(rest),
        Some(("chaos", rest)) => with_kafka(rest, &["--stormfold"]),
        Some((command @ ("latency" | "restore" | "gap"), rest)) => with_kafka(rest, &[command]),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}

/// Options in pairs, each a number; `known` names them with their defaults.
fn numbers<const N: usize>(args: &[String], known: [(&str, u64); N]) -> Result<[u64; N], String> {
    let mut values = known.map(|(_, value)| value);
    for pair in args.chunks(2) {
        let place = known.iter().position(|(name, _)| *name == pair[0]);
        let value = pair.get(1).and_then(|value| value.parse().ok());
        let (Some(place), Some(value)) = (place, value) else {
            return Err(format!("what is {}?\n{USAGE}", pair.join(" ")));
        };
        values[place] = value;
    }
    Ok(values)
}

fn sim(args: &[String]) -> Result<bool, String> {
    let [seeds, from, events] = numbers(args, [("--seeds", 10_000), ("--from", 0), ("--events", 1_000)])?;
    let test = ["--test", "it", "--", "simulation::every_promise", "--nocapture"];
    cargo()
        .args(["test", "--release", "--locked", "--package", "stream"])
        .args(test)
        .env("RUST_BACKTRACE", "0")
        .env("STORMFOLD_SEEDS", seeds.to_string())
        .env("STORMFOLD_FROM", from.to_string())
        .env("STORMFOLD_EVENTS", events.to_string())
        .status()
        .map(|status| status.success())
        .map_err(|e| format!("cargo: {e}"))
}

fn hot(args: &[String]) -> Result<bool, String> {
    let [events] = numbers(args, [("--events", 1_000_000)])?;
    cargo()
        .args([
            "test",
            "--release",
            "--locked",
            "--package",
            "sim",
            "--test",
            "hot",
            "--",
            "--nocapture",
        ])
        .env("STORMFOLD_HOT_EVENTS", events.to_string())
        .status()
        .map(|status| status.success())
        .map_err(|e| format!("cargo: {e}"))
}

/// Runs the program `chaos`; `first` comes before the path of `stormfold`.
fn with_kafka(args: &[String], first: &[&str]) -> Result<bool, String> {
    let built = cargo()
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "cli",
            "--package",
            "chaos",
        ])
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    if !built.success() {
        return Ok(false);
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| xtask::root().join("target"), Into::into);
    let release = target.join("release");
    Command::new(release.join("chaos"))
        .args(first)
        .arg(release.join("stormfold"))
        .args(args)
        .status()
        .map(|status| status.success())
        .map_err(|e| format!("chaos: {e}"))
}

/// Cargo, for builds that are fast when they run but not at the cost of a long link.
/// The cargo that runs this, which need not be the one that built it.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(xtask::root())
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    cargo
}
