//! JSON Schemas of the records, generated from the types that write them.

use model::{Change, Event, Incident, TopologyDocument};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::record::{CHANGE, EVENT, INCIDENT, TOPOLOGY};

/// Every published schema with its name.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        (EVENT, of::<Event>(EVENT)),
        (TOPOLOGY, of::<TopologyDocument>(TOPOLOGY)),
        (INCIDENT, of::<Incident>(INCIDENT)),
        (CHANGE, of::<Change>(CHANGE)),
    ]
}

fn of<T: JsonSchema>(name: &str) -> Value {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>();
    let mut value = serde_json::to_value(schema).unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        map.insert("title".into(), name.into());
        if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(
                "schema".into(),
                serde_json::json!({"const": name, "description": "Name of this schema."}),
            );
        }
    }
    value
}
