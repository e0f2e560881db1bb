//! Topology as recorded (`stormfold.topology/1`). An edge says: `from` depends on `to`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Labels, Text, Time};

/// A whole topology; reading one replaces what was in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TopologyDocument {
    /// Things.
    #[serde(default)]
    pub nodes: Vec<Node>,
    /// Dependencies between them.
    #[serde(default)]
    pub edges: Vec<Edge>,
}

/// One thing: a service, host, database, ….
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// Its name; unique in the topology.
    #[schemars(with = "String")]
    pub id: Text,
    /// `service instance host database cache queue gateway lambda external client coordination …`; unknown kinds are kept.
    #[serde(default = "service")]
    #[schemars(with = "String")]
    pub kind: Text,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub team: Option<Text>,
    /// Other names for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub aliases: Vec<Text>,
    /// Whether it belongs to somebody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// How much the business hangs on it, as its owner words it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Zone, version, cluster, ….
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

/// A tier, written as a number or as a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Tier {
    /// `1`
    Number(i64),
    /// `gold`
    Word(#[schemars(with = "String")] Text),
}

fn service() -> Text {
    Text::const_new("service")
}

/// One dependency: `from` depends on `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// Who depends.
    #[schemars(with = "String")]
    pub from: Text,
    /// On whom.
    #[schemars(with = "String")]
    pub to: Text,
    /// `calls composed_of runs_on registers_with …`; an unknown kind is a plain dependency.
    #[serde(default = "calls")]
    #[schemars(with = "String")]
    pub kind: Text,
}

fn calls() -> Text {
    Text::const_new("calls")
}

/// A change of the topology at a point of event time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TopologyChange {
    /// From when on it holds.
    pub at: Time,
    /// Nodes that appear or change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upsert_nodes: Vec<Node>,
    /// Nodes that go, with their edges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub remove_nodes: Vec<Text>,
    /// Edges that appear.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upsert_edges: Vec<Edge>,
    /// Edges that go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_edges: Vec<Edge>,
}
