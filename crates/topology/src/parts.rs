//! Names of which only a part is a thing's: of an environment, of Docker Compose, of an address. A part is less than a
//! name, so it is asked for last, and believed only where one thing alone bears it and nothing speaks against it; what is
//! not believed is proposed as an alias, which somebody who knows may add.
//!
//! - `checkout-prod` is `checkout` unless the graph itself tells environments apart by such words. Only words for what is
//!   live are believed: `checkout-staging` in a domain whose graph is the live system's would put a trial's alerts on it.
//! - `shop_checkout_1` is how Compose names a container of the service `checkout` in the project `shop`
//!   <https://docs.docker.com/compose/how-tos/project-name/>. With dashes the same is a numbered copy as often
//!   (`legacy-checkout-1`), so that is believed only of what is called a container. What every project has one of (`db`,
//!   `web`) names nothing by itself, and a project that is a thing itself is none (`payments_ledger_1`).
//! - The path of an address is proposed, never believed: a probe of `https://shop.example.com/checkout` tells of all that
//!   answers it.

use crate::{Graph, NodeId, Resolution, spelling};

/// Words for what is live.
const LIVE: [&str; 3] = ["prod", "production", "prd"];
/// Words for other environments.
const TRIED: [&str; 12] = [
    "staging",
    "stage",
    "stg",
    "preprod",
    "dev",
    "development",
    "test",
    "qa",
    "uat",
    "int",
    "canary",
    "preview",
];
/// Names that every project has one of.
const ROLES: [&str; 22] = [
    "api",
    "app",
    "backend",
    "broker",
    "cache",
    "client",
    "database",
    "db",
    "frontend",
    "gateway",
    "mysql",
    "nginx",
    "postgres",
    "proxy",
    "queue",
    "redis",
    "scheduler",
    "server",
    "service",
    "web",
    "worker",
    "workers",
];

impl Graph {
    /// The thing that a name means by a part of it, where that is safe to believe.
    pub(crate) fn by_part(&self, name: &str, is_container: bool) -> Option<NodeId> {
        self.without_environment(name, &LIVE)
            .filter(|_| !self.tells_environments_apart(name))
            .or_else(|| self.composed(name, if is_container { &['_', '-'] } else { &['_'] }))
    }

    /// The thing that a name may mean by a part of it: a proposal, for somebody to look at.
    pub fn perhaps(&self, name: &str) -> Option<NodeId> {
        self.without_environment(name, &LIVE)
            .or_else(|| self.without_environment(name, &TRIED))
            .or_else(|| self.composed(name, &['_', '-']))
            .or_else(|| {
                let path = name.split_once("://")?.1.split_once('/')?.1;
                self.plainly(path.split(['/', '?', '#']).next()?)
            })
    }

    /// The one thing that these plain words name.
    fn plainly(&self, name: &str) -> Option<NodeId> {
        match self.plain(&spelling::plain(name)?) {
            Resolution::Known(node) => Some(node),
            Resolution::Ambiguous(_) | Resolution::Unknown => None,
        }
    }

    fn without_environment(&self, name: &str, words: &[&str]) -> Option<NodeId> {
        let plain = spelling::plain(name)?;
        self.plainly(stem(&plain, words)?)
    }

    /// Whether another environment of what the name speaks of is in the graph.
    fn tells_environments_apart(&self, name: &str) -> bool {
        let plain = spelling::plain(name).unwrap_or_default();
        let Some(stem) = stem(&plain, &LIVE) else {
            return false;
        };
        LIVE.iter().chain(&TRIED).any(|word| {
            [format!("{stem}-{word}"), format!("{word}-{stem}")]
                .iter()
                .any(|name| self.plain(name) != Resolution::Unknown)
        })
    }

    /// Of `project_service_1` the service.
    fn composed(&self, name: &str, separators: &[char]) -> Option<NodeId> {
        let name = name.trim().to_lowercase();
        separators.iter().find_map(|&separator| {
            let (stem, number) = name.rsplit_once(separator)?;
            let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            if !is_number {
                return None;
            }
            let mut found = stem.match_indices(separator).filter_map(|(at, _)| {
                let (project, service) = (&stem[..at], &stem[at + 1..]);
                let names_one = !ROLES.contains(&service) && self.plainly(project).is_none();
                self.plainly(service).filter(|_| names_one && !project.is_empty())
            });
            let only = found.next()?;
            found.all(|other| other == only).then_some(only)
        })
    }
}

/// A name without a word before or behind it.
fn stem<'n>(name: &'n str, words: &[&str]) -> Option<&'n str> {
    words.iter().find_map(|word| {
        let before = name.strip_suffix(word).and_then(|rest| rest.strip_suffix('-'));
        before.or_else(|| name.strip_prefix(word).and_then(|rest| rest.strip_prefix('-')))
    })
}
