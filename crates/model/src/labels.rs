//! Name-value pairs, sorted by name. A sorted vector: alerts carry few labels, and order is part of determinism.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

use crate::Text;

/// Up to so many labels one is looked for from the first to the last: that most names are of another length is told at
/// once, and which of two comes first only by a look at their letters.
const FEW: usize = 12;

/// Name-value pairs sorted by name, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(Vec<(Text, Text)>);

impl Labels {
    /// No labels.
    pub const fn new() -> Labels {
        Labels(Vec::new())
    }
    /// No labels, with room for so many.
    pub fn with_capacity(n: usize) -> Labels {
        Labels(Vec::with_capacity(n))
    }
    /// The value of `name`, or `None`. An absent label equals nothing.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = match self.0.len() {
            0..=FEW => self.0.iter().position(|(n, _)| n == name),
            _ => self.0.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok(),
        };
        at.map(|i| self.0[i].1.as_str())
    }
    /// Sets `name` to `value`; a later value replaces an earlier one.
    pub fn set(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        let (name, value) = (name.into(), value.into());
        // Senders mostly send sorted names, so the usual place is the end.
        if self.0.last().is_none_or(|(last, _)| *last < name) {
            self.0.push((name, value));
            return;
        }
        match self.0.binary_search_by(|(n, _)| n.cmp(&name)) {
            Ok(i) => self.0[i].1 = value,
            Err(i) => self.0.insert(i, (name, value)),
        }
    }
    /// Removes `name` and gives its value.
    pub fn remove(&mut self, name: &str) -> Option<Text> {
        self.0
            .binary_search_by(|(n, _)| n.as_str().cmp(name))
            .ok()
            .map(|i| self.0.remove(i).1)
    }
    /// Pairs in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Text>, V: Into<Text>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Labels {
        let mut labels = Labels::new();
        for (name, value) in pairs {
            labels.set(name, value);
        }
        labels
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(n, v)| (n, v)))
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Labels, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Labels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with text values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Labels(Vec::with_capacity(map.size_hint().map_or(0, |n| n.min(64))));
                while let Some((name, value)) = map.next_entry::<Text, Text>()? {
                    labels.set(name, value);
                }
                Ok(labels)
            }
        }
        d.deserialize_map(Pairs)
    }
}

impl JsonSchema for Labels {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Labels".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "object", "additionalProperties": {"type": "string"}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_each_name_once() {
        let mut labels: Labels = [("b", "1"), ("a", "2"), ("b", "3")].into_iter().collect();
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!(labels.get("b"), Some("3"));
        assert_eq!(labels.get("c"), None);
        assert_eq!(labels.remove("a").as_deref(), Some("2"));
        assert_eq!(labels.len(), 1);
    }

    #[test]
    fn each_is_found_among_few_and_among_many() {
        for n in [0, 1, FEW, FEW + 1, 5 * FEW] {
            let labels: Labels = (0..n)
                .rev()
                .map(|i| (format!("name-{i:02}"), i.to_string()))
                .collect();
            for i in 0..n {
                assert_eq!(labels.get(&format!("name-{i:02}")), Some(i.to_string().as_str()));
            }
            assert_eq!(labels.get("name-60"), None);
        }
    }
}
