//! Enrichment: tables that add to an event what its sender does not know, such as the team of a host.
//!
//! A table has a key, which names a field, an entity or a label of events, and columns. What a sender says itself is
//! never overwritten. The identity of an alert is taken before, so that a new version of a table splits no alert.

use std::{collections::BTreeMap, sync::Arc};

use model::{Event, Text};
use serde_json::Value;

use crate::fields::scalar;

/// Rows of one table, and columns of a row, at most.
const ROWS_MAX: usize = 1_000_000;
const COLUMNS_MAX: usize = 64;

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TableError(String);

/// Tables, in the order in which they are asked. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    list: Arc<Vec<Table>>,
}

#[derive(Debug)]
struct Table {
    key: String,
    columns: Vec<Text>,
    rows: BTreeMap<String, Vec<Text>>,
}

impl Tables {
    /// Adds a table. `key` names the field (`service`, `host`, `source`), entity or label whose value is looked up, without
    /// regard to case. `text` is CSV with a header, the key in its first column; or a JSON object of objects.
    pub fn add(&mut self, key: &str, text: &str) -> Result<(), TableError> {
        let text = text.trim_start_matches('\u{feff}');
        let mut table = if text.trim_start().starts_with('{') {
            json(text)?
        } else {
            csv(text)?
        };
        if table.rows.len() > ROWS_MAX || table.columns.len() > COLUMNS_MAX {
            let (rows, columns) = (table.rows.len(), table.columns.len());
            return Err(TableError(format!(
                "{rows} rows and {columns} columns are more than {ROWS_MAX} and {COLUMNS_MAX}"
            )));
        }
        key.clone_into(&mut table.key);
        Arc::get_mut(&mut self.list)
            .map(|list| list.push(table))
            .ok_or_else(|| TableError("tables are in use".to_owned()))
    }

    /// Adds what the tables know of an event.
    pub(crate) fn enrich(&self, event: &mut Event, labels_max: usize) {
        for table in self.list.iter() {
            let Some(row) =
                value_of(event, &table.key).and_then(|value| table.rows.get(&value.to_lowercase()))
            else {
                continue;
            };
            for (column, value) in table.columns.iter().zip(row).filter(|(_, v)| !v.is_empty()) {
                let field = match column.as_str() {
                    "service" => &mut event.service,
                    "host" => &mut event.host,
                    "environment" => &mut event.environment,
                    "tenant" => &mut event.tenant,
                    "runbook" => &mut event.runbook,
                    name => {
                        if event.labels.get(name).is_none() && event.labels.len() < labels_max {
                            event.labels.set(name, value.clone());
                        }
                        continue;
                    }
                };
                field.get_or_insert_with(|| value.clone());
            }
        }
    }
}

fn value_of<'e>(event: &'e Event, key: &str) -> Option<&'e str> {
    match key {
        "service" => event.service.as_deref(),
        "host" => event.host.as_deref(),
        "source" => Some(&event.source),
        "environment" => event.environment.as_deref(),
        "tenant" => event.tenant.as_deref(),
        name => event.entities.get(name).or_else(|| event.labels.get(name)),
    }
}

fn csv(text: &str) -> Result<Table, TableError> {
    let wrong = |error: csv::Error| TableError(format!("no CSV: {error}"));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns: Vec<Text> = reader
        .headers()
        .map_err(wrong)?
        .iter()
        .skip(1)
        .map(Text::from)
        .collect();
    if columns.is_empty() {
        return Err(TableError(
            "no CSV: the first line names the key and at least one column".to_owned(),
        ));
    }
    let mut rows = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let key = record.get(0).unwrap_or_default().to_lowercase();
        rows.insert(key, record.iter().skip(1).map(Text::from).collect());
    }
    Ok(Table {
        key: String::new(),
        columns,
        rows,
    })
}

fn json(text: &str) -> Result<Table, TableError> {
    let object: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(text).map_err(|e| TableError(format!("no JSON object of objects: {e}")))?;
    let mut columns: Vec<Text> = object
        .values()
        .flat_map(|row| row.keys().map(Text::from))
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let row = |row: &BTreeMap<String, Value>| -> Vec<Text> {
        let cell = |c: &Text| row.get(c.as_str()).and_then(scalar).unwrap_or_default();
        columns.iter().map(cell).collect()
    };
    let rows = object
        .iter()
        .map(|(key, r)| (key.to_lowercase(), row(r)))
        .collect();
    Ok(Table {
        key: String::new(),
        columns: columns.clone(),
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecodeSettings, Decoder, Found, Raw};

    fn decode(tables: Tables, body: &str) -> Event {
        let decoder = Decoder::new(DecodeSettings {
            tables,
            tenant_label: Some("customer".into()),
            ..DecodeSettings::default()
        });
        let mut found = Vec::new();
        decoder.decode(&Raw::of_file(body.as_bytes(), "f", 1), &mut found);
        match found.remove(0) {
            Found::Alert(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tables_add_and_never_overwrite() {
        let mut tables = Tables::default();
        tables
            .add(
                "host",
                "host, team, service, customer\nDB-3, storage, ledger, acme\ndb-4, x, y, z\n",
            )
            .unwrap();
        tables
            .add(
                "service",
                r#"{"ledger": {"tier": 1, "runbook": "https://run.example.com/ledger"}}"#,
            )
            .unwrap();
        let body =
            r#"{"title":"disk","status":"firing","host":"db-3","labels":{"team":"mine"},"severity":"error"}"#;
        let bare = decode(Tables::default(), body);
        let event = decode(tables, body);
        assert_eq!(event.labels.get("team"), Some("mine"));
        assert_eq!(event.service.as_deref(), Some("ledger"));
        assert_eq!(event.labels.get("tier"), Some("1"));
        assert_eq!(event.runbook.as_deref(), Some("https://run.example.com/ledger"));
        assert_eq!(
            event.tenant.as_deref(),
            Some("acme"),
            "the domain sees what was added"
        );
        assert_eq!(event.dedup_key, bare.dedup_key, "the identity does not");
    }

    #[test]
    fn what_is_refused() {
        let refused = |text: &str| Tables::default().add("host", text).unwrap_err().to_string();
        assert!(refused("host,team\na,b,c\n").contains("CSV"));
        assert!(refused("host\n").contains("at least one column"));
        assert!(refused("{\"a\": 1}").contains("object of objects"));
    }
}
