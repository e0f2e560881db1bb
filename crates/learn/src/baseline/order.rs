//! Plain orders of the causes of an incident: who was first, who was loudest, on whom the others depend.

use std::collections::{BTreeMap, BTreeSet};

use model::TopologyDocument;
use sim::score::Ranked;

use super::naive::Row;

/// A plain order of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By the first alert.
    First,
    /// By the number of alerts.
    Count,
    /// By how many of the other alerting services depend on it.
    Deepest,
}

impl Order {
    /// All of them, in the order of tables.
    pub const ALL: [Order; 3] = [Order::First, Order::Count, Order::Deepest];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Order::First => "first",
            Order::Count => "count",
            Order::Deepest => "deepest",
        }
    }
}

/// Ranks the services of each incident.
pub fn rank(rows: &[Row], placed: &[Option<String>], order: Order, topology: &TopologyDocument) -> Ranked {
    let below = match order {
        Order::Deepest => below(topology),
        _ => BTreeMap::new(),
    };
    // Services of an incident in the order of their first alerts, with how many they have.
    let mut incidents: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
    for (row, incident) in rows.iter().zip(placed) {
        let Some(incident) = incident.as_deref().filter(|_| !row.resolved) else {
            continue;
        };
        let services = incidents.entry(incident).or_default();
        match services.iter_mut().find(|(service, _)| *service == row.place) {
            Some((_, alerts)) => *alerts += 1,
            None => services.push((&row.place, 1)),
        }
    }
    let mut ranked = Ranked::default();
    for (incident, services) in incidents {
        let on_it = |service: &str| {
            let depends = |(other, _): &&(&str, usize)| {
                *other != service && below.get(other).is_some_and(|all| all.contains(service))
            };
            services.iter().filter(depends).count()
        };
        let mut names: Vec<&str> = services.iter().map(|(service, _)| *service).collect();
        match order {
            Order::First => {}
            Order::Count => {
                let alerts: BTreeMap<&str, usize> = services.iter().copied().collect();
                names.sort_by_key(|service| std::cmp::Reverse(alerts[service]));
            }
            Order::Deepest => names.sort_by_cached_key(|service| std::cmp::Reverse(on_it(service))),
        }
        ranked.rank(incident.to_owned(), names.into_iter().map(str::to_owned));
    }
    ranked
}

/// All that each node depends on, instances folded into what they are part of.
fn below(topology: &TopologyDocument) -> BTreeMap<&str, BTreeSet<&str>> {
    let whole: BTreeMap<&str, &str> = topology
        .edges
        .iter()
        .filter(|edge| edge.kind == "composed_of")
        .map(|edge| (edge.to.as_str(), edge.from.as_str()))
        .collect();
    let whole = |name| *whole.get(name).unwrap_or(&name);
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in &topology.edges {
        if edge.kind != "composed_of" {
            next.entry(whole(edge.from.as_str()))
                .or_default()
                .insert(whole(edge.to.as_str()));
        }
    }
    let mut all = BTreeMap::new();
    for &from in next.keys() {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut todo = vec![from];
        while let Some(node) = todo.pop() {
            todo.extend(next.get(node).into_iter().flatten().filter(|to| seen.insert(to)));
        }
        all.insert(from, seen);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_has_its_own_first() {
        let row = |place: &str| Row {
            at_s: 0.0,
            place: place.to_owned(),
            title: "x".to_owned(),
            scope: String::new(),
            resolved: false,
        };
        let rows = ["web", "api", "api", "db"].map(row);
        let placed = vec![Some("I".to_owned()); 4];
        let topology: TopologyDocument = serde_json::from_str(
            r#"{"nodes": [], "edges": [{"from": "web", "to": "api", "kind": "calls"}, {"from": "api", "to": "db", "kind": "calls"}]}"#,
        )
        .unwrap();
        let first = |order| {
            rank(&rows, &placed, order, &topology)
                .first("I")
                .map(str::to_owned)
        };
        assert_eq!(first(Order::First).as_deref(), Some("web"));
        assert_eq!(first(Order::Count).as_deref(), Some("api"));
        assert_eq!(first(Order::Deepest).as_deref(), Some("db"));
    }
}
