//! Writing a row.

use serde::{Serialize, ser};

use super::{Bad, CODE, NUMBERS, REMEMBERED, TEXT_LEAST, TEXTS, names};

/// What a row has become so far.
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// The numbers that were spelt out, with their markers.
    numbers: Vec<(u8, u64)>,
    /// Where in `bytes` texts and bytes stand that were spelt out, and which of the two they are.
    texts: Vec<(Kind, usize, usize)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Bytes,
}

impl Default for Writer {
    fn default() -> Writer {
        Writer {
            bytes: Vec::with_capacity(512),
            numbers: Vec::with_capacity(REMEMBERED),
            texts: Vec::with_capacity(REMEMBERED),
        }
    }
}

impl Writer {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn code(&mut self, code: usize) {
        self.bytes.extend([CODE, code as u8]);
    }

    /// A number of eight bytes, or what stands for it.
    fn wide(&mut self, marker: u8, bits: u64) {
        if let Some(place) = self.numbers.iter().position(|known| *known == (marker, bits)) {
            return self.code(NUMBERS + place);
        }
        if self.numbers.len() < REMEMBERED {
            self.numbers.push((marker, bits));
        }
        self.bytes.push(marker);
        self.bytes.extend(bits.to_be_bytes());
    }

    fn unsigned(&mut self, number: u64) {
        match number {
            0..=0x7f => self.bytes.push(number as u8),
            0x80..=0xff => self.bytes.extend([0xcc, number as u8]),
            0x100..=0xffff => {
                self.bytes.push(0xcd);
                self.bytes.extend((number as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.bytes.push(0xce);
                self.bytes.extend((number as u32).to_be_bytes());
            }
            _ => self.wide(0xcf, number),
        }
    }

    fn signed(&mut self, number: i64) {
        if let Ok(number) = u64::try_from(number) {
            self.unsigned(number);
        } else if number >= -32 {
            self.bytes.push(number as u8);
        } else if let Ok(number) = i8::try_from(number) {
            self.bytes.extend([0xd0, number as u8]);
        } else if let Ok(number) = i16::try_from(number) {
            self.bytes.push(0xd1);
            self.bytes.extend(number.to_be_bytes());
        } else if let Ok(number) = i32::try_from(number) {
            self.bytes.push(0xd2);
            self.bytes.extend(number.to_be_bytes());
        } else {
            self.wide(0xd3, number as u64);
        }
    }

    /// A text or bytes, or what stands for them.
    fn text(&mut self, kind: Kind, content: &[u8]) -> Result<(), Bad> {
        let worth = content.len() >= TEXT_LEAST;
        if worth {
            let known = |(of, start, len): &(Kind, usize, usize)| {
                *len == content.len() && *of == kind && self.bytes[*start..start + len] == *content
            };
            if let Some(place) = self.texts.iter().position(known) {
                self.code(TEXTS + place);
                return Ok(());
            }
        }
        match kind {
            Kind::Text => self.head(content.len(), Some((0xa0, 32)), Some(0xd9), [0xda, 0xdb])?,
            Kind::Bytes => self.head(content.len(), None, Some(0xc4), [0xc5, 0xc6])?,
        }
        if worth && self.texts.len() < REMEMBERED {
            self.texts.push((kind, self.bytes.len(), content.len()));
        }
        self.bytes.extend(content);
        Ok(())
    }

    /// A length with the marker of its size: within the marker up to what it has room for, else in one, two or four bytes.
    fn head(
        &mut self,
        len: usize,
        within: Option<(u8, usize)>,
        one: Option<u8>,
        [two, four]: [u8; 2],
    ) -> Result<(), Bad> {
        let len32 = u32::try_from(len).map_err(|_| Bad(format!("a length of {len}")))?;
        match (within, one) {
            (Some((marker, room)), _) if len < room => self.bytes.push(marker | len as u8),
            (_, Some(marker)) if len <= 0xff => self.bytes.extend([marker, len as u8]),
            _ if len <= 0xffff => {
                self.bytes.push(two);
                self.bytes.extend((len as u16).to_be_bytes());
            }
            _ => {
                self.bytes.push(four);
                self.bytes.extend(len32.to_be_bytes());
            }
        }
        Ok(())
    }

    fn list(&mut self, len: usize) -> Result<(), Bad> {
        self.head(len, Some((0x90, 16)), None, [0xdc, 0xdd])
    }

    fn map(&mut self, len: usize) -> Result<(), Bad> {
        self.head(len, Some((0x80, 16)), None, [0xde, 0xdf])
    }

    fn name(&mut self, name: &str) -> Result<(), Bad> {
        match names::place(name) {
            Some(place) => {
                self.code(place);
                Ok(())
            }
            None => self.text(Kind::Text, name.as_bytes()),
        }
    }

    /// A variant that holds something is a map of one.
    fn variant(&mut self, name: &str) -> Result<(), Bad> {
        self.map(1)?;
        self.name(name)
    }
}

/// What is written one after another. Where it was not known how many there are, their number is put in at the end.
pub(super) struct Several<'a> {
    writer: &'a mut Writer,
    unknown: Option<usize>,
    count: u32,
}

impl<'a> Several<'a> {
    fn new(writer: &'a mut Writer) -> Several<'a> {
        Several {
            writer,
            unknown: None,
            count: 0,
        }
    }

    fn unknown(writer: &'a mut Writer, marker: u8) -> Several<'a> {
        writer.bytes.push(marker);
        let at = writer.bytes.len();
        writer.bytes.extend([0; 4]);
        Several {
            writer,
            unknown: Some(at),
            count: 0,
        }
    }

    fn one(&mut self, value: &(impl ?Sized + Serialize)) -> Result<(), Bad> {
        self.count += 1;
        value.serialize(&mut *self.writer)
    }

    fn finish(self) {
        if let Some(at) = self.unknown {
            self.writer.bytes[at..at + 4].copy_from_slice(&self.count.to_be_bytes());
        }
    }
}

impl<'a> ser::Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Bad;
    type SerializeSeq = Several<'a>;
    type SerializeTuple = Several<'a>;
    type SerializeTupleStruct = Several<'a>;
    type SerializeTupleVariant = Several<'a>;
    type SerializeMap = Several<'a>;
    type SerializeStruct = Several<'a>;
    type SerializeStructVariant = Several<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }
    fn serialize_bool(self, truth: bool) -> Result<(), Bad> {
        self.bytes.push(0xc2 | u8::from(truth));
        Ok(())
    }
    fn serialize_i8(self, number: i8) -> Result<(), Bad> {
        self.serialize_i64(number.into())
    }
    fn serialize_i16(self, number: i16) -> Result<(), Bad> {
        self.serialize_i64(number.into())
    }
    fn serialize_i32(self, number: i32) -> Result<(), Bad> {
        self.serialize_i64(number.into())
    }
    fn serialize_i64(self, number: i64) -> Result<(), Bad> {
        self.signed(number);
        Ok(())
    }
    fn serialize_u8(self, number: u8) -> Result<(), Bad> {
        self.serialize_u64(number.into())
    }
    fn serialize_u16(self, number: u16) -> Result<(), Bad> {
        self.serialize_u64(number.into())
    }
    fn serialize_u32(self, number: u32) -> Result<(), Bad> {
        self.serialize_u64(number.into())
    }
    fn serialize_u64(self, number: u64) -> Result<(), Bad> {
        self.unsigned(number);
        Ok(())
    }
    fn serialize_f32(self, number: f32) -> Result<(), Bad> {
        self.bytes.push(0xca);
        self.bytes.extend(number.to_bits().to_be_bytes());
        Ok(())
    }
    fn serialize_f64(self, number: f64) -> Result<(), Bad> {
        self.wide(0xcb, number.to_bits());
        Ok(())
    }
    fn serialize_char(self, letter: char) -> Result<(), Bad> {
        self.serialize_str(letter.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, text: &str) -> Result<(), Bad> {
        self.text(Kind::Text, text.as_bytes())
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Bad> {
        self.text(Kind::Bytes, bytes)
    }
    fn serialize_none(self) -> Result<(), Bad> {
        self.serialize_unit()
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Bad> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Bad> {
        self.bytes.push(0xc0);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Bad> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<(), Bad> {
        self.name(name)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Bad> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Bad> {
        self.variant(name)?;
        value.serialize(self)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Several<'a>, Bad> {
        match len {
            Some(len) => self.list(len).map(|()| Several::new(self)),
            None => Ok(Several::unknown(self, 0xdd)),
        }
    }
    fn serialize_tuple(self, len: usize) -> Result<Several<'a>, Bad> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Several<'a>, Bad> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Several<'a>, Bad> {
        self.variant(name)?;
        self.serialize_seq(Some(len))
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Several<'a>, Bad> {
        match len {
            Some(len) => self.map(len).map(|()| Several::new(self)),
            None => Ok(Several::unknown(self, 0xdf)),
        }
    }
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Several<'a>, Bad> {
        self.serialize_map(Some(len))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Several<'a>, Bad> {
        self.variant(name)?;
        self.serialize_map(Some(len))
    }
}

/// Elements by the trait of what they are elements of.
macro_rules! elements {
    ($($of:ident $put:ident),*) => {$(
        impl ser::$of for Several<'_> {
            type Ok = ();
            type Error = Bad;
            fn $put<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Bad> {
                self.one(value)
            }
            fn end(self) -> Result<(), Bad> {
                self.finish();
                Ok(())
            }
        }
    )*};
}
elements!(SerializeSeq serialize_element, SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);

/// Fields by their names.
macro_rules! fields {
    ($($of:ident),*) => {$(
        impl ser::$of for Several<'_> {
            type Ok = ();
            type Error = Bad;
            fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Bad> {
                self.writer.name(name)?;
                self.one(value)
            }
            fn end(self) -> Result<(), Bad> {
                self.finish();
                Ok(())
            }
        }
    )*};
}
fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Several<'_> {
    type Ok = ();
    type Error = Bad;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Bad> {
        key.serialize(&mut *self.writer)
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Bad> {
        self.one(value)
    }
    fn end(self) -> Result<(), Bad> {
        self.finish();
        Ok(())
    }
}
