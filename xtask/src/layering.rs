//! Who may know whom. The table stands in `ARCHITECTURE.md` under "Rooms"; `cargo metadata` says what is.

use std::{collections::BTreeMap, path::Path, process::Command};

/// One row of the table of rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The crate.
    pub name: String,
    /// The rooms it may depend on.
    pub may_use: Vec<String>,
    /// Whether it is of the pure half: no clock, no dice, no I/O.
    pub pure: bool,
}

/// One member of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Dependencies that end up in the build of others: normal and build ones.
    pub uses: Vec<String>,
    /// Dependencies of its tests.
    pub tests_use: Vec<String>,
}

/// Reads the table of rooms: `| `name` | job | may use | half |`.
pub fn rooms(architecture: &str) -> BTreeMap<String, Room> {
    let section = architecture.split("\n## Rooms").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .lines()
        .filter_map(room)
        .map(|room| (room.name.clone(), room))
        .collect()
}

fn room(line: &str) -> Option<Room> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [name, _job, may_use, half] = cells[..] else {
        return None;
    };
    let name = name.strip_prefix('`')?.strip_suffix('`')?.to_owned();
    let may_use = may_use
        .split_whitespace()
        .filter(|w| *w != "-")
        .map(|w| w.trim_matches('`').to_owned())
        .collect();
    Some(Room {
        name,
        may_use,
        pure: half.starts_with("pure"),
    })
}

/// The members of the workspace with what they depend on, by name.
pub fn packages(root: &Path) -> Result<BTreeMap<String, Package>, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).map_err(|e| e.to_string())?;
    let mut packages = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let mut entry = Package::default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let name = dependency["name"].as_str().unwrap_or_default().to_owned();
            if dependency["kind"].as_str() == Some("dev") {
                &mut entry.tests_use
            } else {
                &mut entry.uses
            }
            .push(name);
        }
        packages.insert(package["name"].as_str().unwrap_or_default().to_owned(), entry);
    }
    Ok(packages)
}
