//! What stands in the messages of an event (tensorflow/core/util/event.proto, framework/summary.proto, tensor.proto, and
//! the plugin of hyperparameters), as far as it tells of numbers: fields by their numbers, all others passed over.

use super::super::protobuf::{Bad, Message, Wire};
use crate::base::json::Value;
use crate::record::weights::Kind;

/// Plugins, as a summary's metadata name them.
pub const SCALARS: &str = "scalars";
pub const HPARAMS: &str = "hparams";

/// Fields of messages, by their numbers.
pub mod field {
    pub const EVENT_TIME: u64 = 1;
    pub const EVENT_STEP: u64 = 2;
    pub const EVENT_VERSION: u64 = 3;
    pub const EVENT_SUMMARY: u64 = 5;
    pub const SUMMARY_VALUE: u64 = 1;
    pub const VALUE_TAG: u64 = 1;
    pub const VALUE_SIMPLE: u64 = 2;
    pub const VALUE_TENSOR: u64 = 8;
    pub const VALUE_METADATA: u64 = 9;
    pub const METADATA_PLUGIN: u64 = 1;
    pub const METADATA_CLASS: u64 = 4;
    pub const PLUGIN_NAME: u64 = 1;
    pub const PLUGIN_CONTENT: u64 = 2;
    pub const HPARAMS_START: u64 = 3;
    pub const HPARAMS_END: u64 = 4;
    pub const START_PARAMS: u64 = 1;
    pub const START_GROUP: u64 = 4;
    pub const START_TIME: u64 = 5;
    pub const END_STATUS: u64 = 1;
    pub const END_TIME: u64 = 2;
    pub const MAP_KEY: u64 = 1;
    pub const MAP_VALUE: u64 = 2;
    pub const ANY_NUMBER: u64 = 2;
    pub const ANY_TEXT: u64 = 3;
    pub const ANY_BOOL: u64 = 4;
    pub const TENSOR_TYPE: u64 = 1;
    pub const TENSOR_SHAPE: u64 = 2;
    pub const TENSOR_CONTENT: u64 = 4;
    pub const TENSOR_FLOATS: u64 = 5;
    pub const TENSOR_DOUBLES: u64 = 6;
}

type Parsed<T> = Result<T, Bad>;

/// What the summary says of one tag.
#[derive(Default)]
pub struct Summary<'a> {
    pub tag: String,
    pub simple: Option<f64>,
    pub tensor: Option<Message<'a>>,
    pub is_scalar: bool,
    pub hparams: Option<Message<'a>>,
}

impl<'a> Summary<'a> {
    /// Reads a value of a summary.
    pub fn of(value: Message<'a>) -> Parsed<Summary<'a>> {
        let mut summary = Summary::default();
        for field in value.fields() {
            match field? {
                (field::VALUE_TAG, Wire::Bytes(tag)) => summary.tag = tag.text(),
                (field::VALUE_SIMPLE, Wire::Four(bytes)) => {
                    summary.simple = Some(shortest(f32::from_le_bytes(bytes)));
                }
                (field::VALUE_TENSOR, Wire::Bytes(tensor)) => summary.tensor = Some(tensor),
                (field::VALUE_METADATA, Wire::Bytes(metadata)) => summary.metadata(metadata)?,
                _ => {}
            }
        }
        Ok(summary)
    }

    fn metadata(&mut self, metadata: Message<'a>) -> Parsed<()> {
        for field in metadata.fields() {
            match field? {
                (field::METADATA_CLASS, Wire::Varint(class)) => self.is_scalar |= class == 1,
                (field::METADATA_PLUGIN, Wire::Bytes(plugin)) => {
                    let (mut name, mut content) = (&[][..], None);
                    for field in plugin.fields() {
                        match field? {
                            (field::PLUGIN_NAME, Wire::Bytes(text)) => name = text.bytes,
                            (field::PLUGIN_CONTENT, Wire::Bytes(bytes)) => content = Some(bytes),
                            _ => {}
                        }
                    }
                    self.is_scalar |= name == SCALARS.as_bytes();
                    self.hparams = content.filter(|_| name == HPARAMS.as_bytes());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A name with a number, a text or a truth value (google.protobuf.Value).
pub fn parameter(entry: Message) -> Parsed<(String, Value)> {
    let (mut name, mut value) = (String::new(), Value::Null);
    for field in entry.fields() {
        match field? {
            (field::MAP_KEY, Wire::Bytes(key)) => name = key.text(),
            (field::MAP_VALUE, Wire::Bytes(any)) => {
                for field in any.fields() {
                    match field? {
                        (field::ANY_NUMBER, Wire::Eight(bytes)) => value = plain_number(f64::from_le_bytes(bytes)),
                        (field::ANY_TEXT, Wire::Bytes(text)) => value = text.text().into(),
                        (field::ANY_BOOL, Wire::Varint(bit)) => value = (bit != 0).into(),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok((name, value))
}

/// All numbers of parameters are doubles there: what is whole becomes an integer again.
fn plain_number(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 9e15 { Value::Int(x as i64) } else { x.into() }
}

/// The number of a tensor of one element; None: it is something else.
pub fn element(tensor: Message) -> Parsed<Option<f64>> {
    let (mut kind, mut bytes) = (None, None);
    for field in tensor.fields() {
        match field? {
            (field::TENSOR_TYPE, Wire::Varint(number)) => kind = kind_of(number),
            // As bytes, or as a list of numbers, packed or a field each.
            (field::TENSOR_CONTENT | field::TENSOR_FLOATS | field::TENSOR_DOUBLES, Wire::Bytes(content)) => {
                bytes = Some(content.bytes.to_vec());
            }
            (field::TENSOR_FLOATS, Wire::Four(float)) => bytes = Some(float.to_vec()),
            (field::TENSOR_DOUBLES, Wire::Eight(double)) => bytes = Some(double.to_vec()),
            _ => {}
        }
    }
    Ok(kind.and_then(|kind| match bytes.filter(|bytes| !bytes.is_empty()) {
        // Zero may be left out.
        None => Some(0.0),
        Some(bytes) if bytes.len() as u64 == kind.size() && kind.parts() == 1 => {
            let mut numbers = Vec::with_capacity(1);
            kind.decode(&bytes, false, &mut numbers);
            numbers.first().map(|x| if kind == Kind::F32 { shortest(*x as f32) } else { *x })
        }
        Some(_) => None,
    }))
}

/// The number with the fewest digits that is this float: 0.1, and not 0.10000000149011612.
fn shortest(x: f32) -> f64 {
    if x.fract() == 0.0 { x.into() } else { x.to_string().parse().unwrap_or(x.into()) }
}

/// The kinds by their numbers in tensorflow/core/framework/types.proto.
fn kind_of(number: u64) -> Option<Kind> {
    Some(match number {
        1 => Kind::F32,
        2 => Kind::F64,
        3 => Kind::I32,
        4 => Kind::U8,
        5 => Kind::I16,
        6 => Kind::I8,
        9 => Kind::I64,
        10 => Kind::Bool,
        14 => Kind::Bf16,
        17 => Kind::U16,
        19 => Kind::F16,
        22 => Kind::U32,
        23 => Kind::U64,
        _ => return None,
    })
}
