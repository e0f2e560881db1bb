//! JSON values as senders really write them: a number where text is meant, `null` for nothing. Text stays where it is:
//! nothing is copied that the sender did not escape.

use std::{borrow::Cow, fmt};

use model::Text;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer, value::SeqAccessDeserializer},
};
use serde_json::{Number, Value};

/// A value read without insisting on its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Lax<'a> {
    /// `null` or an empty string.
    #[default]
    Nothing,
    /// Text, a number or a boolean, as text.
    Scalar(Cow<'a, str>),
    /// An array or an object.
    Nested(Value),
}

impl<'a> Lax<'a> {
    /// The text, if it is a scalar.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Lax::Scalar(text) => Some(text),
            Lax::Nothing | Lax::Nested(_) => None,
        }
    }
    /// A copy of the text, if it is a scalar.
    pub(crate) fn text(&self) -> Option<Text> {
        self.as_str().map(Text::from)
    }

    fn of(text: Cow<'a, str>) -> Lax<'a> {
        if text.is_empty() {
            Lax::Nothing
        } else {
            Lax::Scalar(text)
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Lax<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Lax<'a>, D::Error> {
        d.deserialize_any(LaxVisitor)
    }
}

struct LaxVisitor;

impl<'de> Visitor<'de> for LaxVisitor {
    type Value = Lax<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Lax<'de>, E> {
        Ok(Lax::of(Cow::Borrowed(text)))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Lax<'de>, E> {
        Ok(Lax::of(Cow::Owned(text.to_owned())))
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Lax<'de>, E> {
        Ok(Lax::of(Cow::Borrowed(if value { "true" } else { "false" })))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Lax<'de>, E> {
        Ok(Lax::of(Cow::Owned(value.to_string())))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Lax<'de>, E> {
        Ok(Lax::of(Cow::Owned(value.to_string())))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Lax<'de>, E> {
        let number = Number::from_f64(value).map(|n| n.to_string());
        Ok(Lax::of(Cow::Owned(number.unwrap_or_default())))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Lax<'de>, E> {
        Ok(Lax::Nothing)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lax<'de>, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Lax::Nested)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Lax<'de>, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(Lax::Nested)
    }
}
