//! Prints what a file holds, one line of JSON per thing found: `normalize FILE`.
#![expect(
    clippy::disallowed_methods,
    reason = "an example stands outside of the pure half"
)]

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let decoder = wire::Decoder::new(wire::DecodeSettings {
        undated: model::Time::from_secs(1_767_225_600),
        ..Default::default()
    });
    let mut out = std::io::stdout().lock();
    for file in std::env::args().skip(1).filter(|a| a != "normalize") {
        let bytes = std::fs::read(&file)?;
        let mut found = Vec::new();
        decoder.decode(&wire::Raw::of_file(&bytes, &file, 1), &mut found);
        for found in &found {
            writeln!(out, "{}", wire::outcome::line(found))?;
        }
    }
    Ok(())
}
