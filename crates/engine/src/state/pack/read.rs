//! Reading a row, from a slice: nothing of it is copied on the way.

use serde::{
    de::{self, DeserializeSeed, IntoDeserializer, Visitor},
    forward_to_deserialize_any,
};

use super::{Bad, CODE, NUMBERS, REMEMBERED, TEXT_LEAST, TEXTS, names};

/// Deeper than any row of ours, and far from the end of a stack.
const DEPTH_MAX: u32 = 64;

/// A row, and how far it was read.
pub(super) struct Reader<'de> {
    row: &'de [u8],
    at: usize,
    depth: u32,
    numbers: Remembered,
    texts: Remembered,
}

/// Where the first of a kind stand that were spelt out.
#[derive(Default)]
struct Remembered {
    all: [u32; REMEMBERED],
    len: usize,
}

/// One step of the row.
#[derive(Clone, Copy)]
enum Token<'de> {
    Nil,
    Truth(bool),
    Unsigned(u64),
    Signed(i64),
    Single(f32),
    Real(f64),
    Text(&'de str),
    Bytes(&'de [u8]),
    List(usize),
    Map(usize),
}

impl Remembered {
    fn push(&mut self, at: usize) {
        if let (Some(place), Ok(at)) = (self.all.get_mut(self.len), u32::try_from(at)) {
            *place = at;
            self.len += 1;
        }
    }

    fn get(&self, place: usize) -> Result<usize, Bad> {
        match self.all[..self.len].get(place) {
            Some(at) => Ok(*at as usize),
            None => Err(Bad("it names what it has not said".to_owned())),
        }
    }
}

impl<'de> Reader<'de> {
    pub(super) fn new(row: &'de [u8]) -> Reader<'de> {
        Reader {
            row,
            at: 0,
            depth: 0,
            numbers: Remembered::default(),
            texts: Remembered::default(),
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.row.len()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let taken = self.row[self.at..].first_chunk().ok_or_else(cut)?;
        self.at += N;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Bad> {
        self.array().map(|[byte]| byte)
    }
    fn two(&mut self) -> Result<u16, Bad> {
        self.array().map(u16::from_be_bytes)
    }
    fn four(&mut self) -> Result<u32, Bad> {
        self.array().map(u32::from_be_bytes)
    }
    fn eight(&mut self) -> Result<u64, Bad> {
        self.array().map(u64::from_be_bytes)
    }

    fn slice(&mut self, len: usize) -> Result<&'de [u8], Bad> {
        let taken = self.row[self.at..].get(..len).ok_or_else(cut)?;
        self.at += len;
        Ok(taken)
    }

    fn text(&mut self, len: usize) -> Result<Token<'de>, Bad> {
        let text = std::str::from_utf8(self.slice(len)?).map_err(|e| Bad(e.to_string()))?;
        Ok(Token::Text(text))
    }

    fn bytes(&mut self, len: usize) -> Result<Token<'de>, Bad> {
        self.slice(len).map(Token::Bytes)
    }

    fn token(&mut self) -> Result<Token<'de>, Bad> {
        let at = self.at;
        let marker = self.byte()?;
        if marker == CODE {
            return self.code();
        }
        let token = self.spelt_out(marker)?;
        match token {
            Token::Text(text) if text.len() >= TEXT_LEAST => self.texts.push(at),
            Token::Bytes(bytes) if bytes.len() >= TEXT_LEAST => self.texts.push(at),
            _ if matches!(marker, 0xcb | 0xcf | 0xd3) => self.numbers.push(at),
            _ => {}
        }
        Ok(token)
    }

    fn code(&mut self) -> Result<Token<'de>, Bad> {
        let before = match usize::from(self.byte()?) {
            code if code >= TEXTS => self.texts.get(code - TEXTS)?,
            code if code >= NUMBERS => self.numbers.get(code - NUMBERS)?,
            place => {
                let name = names::at(place).ok_or_else(|| Bad(format!("no name {place}")))?;
                return Ok(Token::Text(name));
            }
        };
        let back = std::mem::replace(&mut self.at, before);
        let marker = self.byte()?;
        let token = self.spelt_out(marker);
        self.at = back;
        token
    }

    fn spelt_out(&mut self, marker: u8) -> Result<Token<'de>, Bad> {
        Ok(match marker {
            number @ 0..=0x7f => Token::Unsigned(number.into()),
            marker @ 0x80..=0x8f => Token::Map((marker & 0x0f).into()),
            marker @ 0x90..=0x9f => Token::List((marker & 0x0f).into()),
            marker @ 0xa0..=0xbf => self.text((marker & 0x1f).into())?,
            0xc0 => Token::Nil,
            truth @ (0xc2 | 0xc3) => Token::Truth(truth == 0xc3),
            0xc4 => {
                let len = self.byte()?;
                self.bytes(len.into())?
            }
            0xc5 => {
                let len = self.two()?;
                self.bytes(len.into())?
            }
            0xc6 => {
                let len = self.four()?;
                self.bytes(len as usize)?
            }
            0xca => Token::Single(f32::from_bits(self.four()?)),
            0xcb => Token::Real(f64::from_bits(self.eight()?)),
            0xcc => Token::Unsigned(self.byte()?.into()),
            0xcd => Token::Unsigned(self.two()?.into()),
            0xce => Token::Unsigned(self.four()?.into()),
            0xcf => Token::Unsigned(self.eight()?),
            0xd0 => Token::Signed((self.byte()? as i8).into()),
            0xd1 => Token::Signed((self.two()? as i16).into()),
            0xd2 => Token::Signed((self.four()? as i32).into()),
            0xd3 => Token::Signed(self.eight()? as i64),
            0xd9 => {
                let len = self.byte()?;
                self.text(len.into())?
            }
            0xda => {
                let len = self.two()?;
                self.text(len.into())?
            }
            0xdb => {
                let len = self.four()?;
                self.text(len as usize)?
            }
            0xdc => Token::List(self.two()?.into()),
            0xdd => Token::List(self.four()? as usize),
            0xde => Token::Map(self.two()?.into()),
            0xdf => Token::Map(self.four()? as usize),
            negative @ 0xe0..=0xff => Token::Signed((negative as i8).into()),
            // Types of others, which no row has.
            marker => return Err(Bad(format!("the marker {marker:#x}"))),
        })
    }

    /// What `read` reads of `left` elements, which must be all of them.
    fn several<T>(
        &mut self,
        left: usize,
        read: impl FnOnce(&mut Elements<'_, 'de>) -> Result<T, Bad>,
    ) -> Result<T, Bad> {
        if self.depth == DEPTH_MAX {
            return Err(Bad("nested too deeply".to_owned()));
        }
        self.depth += 1;
        let mut elements = Elements { reader: self, left };
        let value = read(&mut elements)?;
        if elements.left > 0 {
            return Err(Bad("elements too many".to_owned()));
        }
        self.depth -= 1;
        Ok(value)
    }
}

fn cut() -> Bad {
    Bad("it is cut short".to_owned())
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Bad;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Bad> {
        match self.token()? {
            Token::Nil => visitor.visit_unit(),
            Token::Truth(truth) => visitor.visit_bool(truth),
            Token::Unsigned(number) => visitor.visit_u64(number),
            Token::Signed(number) => visitor.visit_i64(number),
            Token::Single(number) => visitor.visit_f32(number),
            Token::Real(number) => visitor.visit_f64(number),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Token::List(len) => self.several(len, |elements| visitor.visit_seq(elements)),
            Token::Map(len) => self.several(len, |elements| visitor.visit_map(elements)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Bad> {
        if self.row.get(self.at) == Some(&0xc0) {
            self.at += 1;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Bad> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Bad> {
        match self.token()? {
            Token::Text(name) => visitor.visit_enum(name.into_deserializer()),
            Token::Map(1) => self.several(1, |elements| visitor.visit_enum(elements)),
            _ => Err(Bad("no variant where one should be".to_owned())),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// What is left of a list or map.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl Elements<'_, '_> {
    /// An element takes a byte at least, so no more are promised than there can be.
    fn hint(&self) -> usize {
        self.left.min(self.reader.row.len() - self.reader.at)
    }
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Bad;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Bad> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_, 'de> {
    type Error = Bad;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Bad> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Bad> {
        seed.deserialize(&mut *self.reader)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> de::EnumAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Bad;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Bad> {
        self.left = 0;
        Ok((seed.deserialize(&mut *self.reader)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Bad;

    fn unit_variant(self) -> Result<(), Bad> {
        de::Deserialize::deserialize(&mut *self.reader)
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Bad> {
        seed.deserialize(&mut *self.reader)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Bad> {
        de::Deserializer::deserialize_any(&mut *self.reader, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Bad> {
        de::Deserializer::deserialize_any(&mut *self.reader, visitor)
    }
}
