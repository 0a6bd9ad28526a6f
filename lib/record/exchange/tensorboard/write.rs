//! A run as a file of events: the version, the parameters as the plugin of hyperparameters has them, an event a point,
//! and how the run ended. Values become floats of 32 bits, which is what all readers of such files expect.

use super::super::events;
use super::super::protobuf::{put_bytes, put_double, put_float, put_varint};
use super::message::{HPARAMS, field};
use crate::base::error::Result;
use crate::base::files::Draft;
use crate::base::json::Value;
use crate::base::time::Time;
use crate::record::history::{Axis, Point};
use crate::spool::state::Folder;
use std::path::Path;

/// What the first event of a file says.
const VERSION: &[u8] = b"brain.Event:2";

/// Writes one file of events.
pub struct Writer {
    draft: Draft,
    /// The time of the last event, seconds since 1970
    t: f64,
    /// How many points there were
    points: u64,
    out: Vec<u8>,
}

impl Writer {
    /// Begins one in a directory, at a time that names it.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn new(dir: &Path, started: Option<Time>) -> Result<Writer> {
        let t = started.map_or(0.0, |t| t.ms() as f64 / 1000.0);
        let mut writer = Writer { draft: Draft::new(dir)?, t, points: 0, out: Vec::new() };
        writer.event(0, field::EVENT_VERSION, VERSION)?;
        Ok(writer)
    }

    /// Tells the parameters, if there are any. Runs of one group are shown as repetitions.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn params(&mut self, group: &str, params: &[(String, Value)]) -> Result<()> {
        if params.is_empty() {
            return Ok(());
        }
        let mut start = Vec::new();
        for (name, value) in params {
            let (mut any, mut entry) = (Vec::new(), Vec::new());
            match value {
                Value::Bool(bit) => put_varint(&mut any, field::ANY_BOOL, (*bit).into()),
                value => match value.as_num() {
                    Some(x) => put_double(&mut any, field::ANY_NUMBER, x),
                    None => put_bytes(&mut any, field::ANY_TEXT, value.plain().as_bytes()),
                },
            }
            put_bytes(&mut entry, field::MAP_KEY, name.as_bytes());
            put_bytes(&mut entry, field::MAP_VALUE, &any);
            put_bytes(&mut start, field::START_PARAMS, &entry);
        }
        put_bytes(&mut start, field::START_GROUP, group.as_bytes());
        put_double(&mut start, field::START_TIME, self.t);
        self.hparams("_hparams_/session_start_info", field::HPARAMS_START, &start)
    }

    /// Adds a point. Its step is where it stands among the updates if that is a whole number, else which point it is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, point: &Point) -> Result<()> {
        if let Some(t) = point.t {
            self.t = t.ms() as f64 / 1000.0;
        }
        let updates = point.x(Axis::Updates).filter(|x| x.fract() == 0.0 && x.abs() < 9e15);
        let step = updates.map_or(self.points.cast_signed(), |x| x as i64);
        self.points += 1;
        let mut summary = Vec::new();
        // A step that is no epoch has the epoch beside it, as others write it.
        let epoch = point.counter("epoch").filter(|epoch| Some(*epoch) != updates);
        for (name, value) in point.values().chain(epoch.map(|epoch| ("epoch", epoch))) {
            let mut one = Vec::new();
            put_bytes(&mut one, field::VALUE_TAG, name.as_bytes());
            put_float(&mut one, field::VALUE_SIMPLE, value as f32);
            put_bytes(&mut summary, field::SUMMARY_VALUE, &one);
        }
        self.event(step, field::EVENT_SUMMARY, &summary)
    }

    /// Tells how the run ended, and publishes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self, state: Folder, ended: Option<Time>, has_params: bool, path: &Path) -> Result<()> {
        if has_params {
            let mut end = Vec::new();
            put_varint(
                &mut end,
                field::END_STATUS,
                match state {
                    Folder::Done => 1,
                    state if state.is_end() => 2,
                    _ => 3,
                },
            );
            put_double(&mut end, field::END_TIME, ended.map_or(self.t, |t| t.ms() as f64 / 1000.0));
            self.hparams("_hparams_/session_end_info", field::HPARAMS_END, &end)?;
        }
        self.draft.publish(path)
    }

    fn hparams(&mut self, tag: &str, kind: u64, message: &[u8]) -> Result<()> {
        let (mut content, mut plugin, mut metadata) = (Vec::new(), Vec::new(), Vec::new());
        put_bytes(&mut content, kind, message);
        put_bytes(&mut plugin, field::PLUGIN_NAME, HPARAMS.as_bytes());
        put_bytes(&mut plugin, field::PLUGIN_CONTENT, &content);
        put_bytes(&mut metadata, field::METADATA_PLUGIN, &plugin);
        let (mut value, mut summary, mut tensor) = (Vec::new(), Vec::new(), Vec::new());
        // The plugin's readers ask for a tensor, whatever is in it: a float without elements.
        put_varint(&mut tensor, field::TENSOR_TYPE, 1);
        put_bytes(&mut tensor, field::TENSOR_SHAPE, b"\x12\x00");
        put_bytes(&mut value, field::VALUE_TAG, tag.as_bytes());
        put_bytes(&mut value, field::VALUE_TENSOR, &tensor);
        put_bytes(&mut value, field::VALUE_METADATA, &metadata);
        put_bytes(&mut summary, field::SUMMARY_VALUE, &value);
        self.event(0, field::EVENT_SUMMARY, &summary)
    }

    fn event(&mut self, step: i64, kind: u64, message: &[u8]) -> Result<()> {
        let mut event = Vec::with_capacity(message.len() + 24);
        put_double(&mut event, field::EVENT_TIME, self.t);
        if step != 0 {
            put_varint(&mut event, field::EVENT_STEP, step.cast_unsigned());
        }
        put_bytes(&mut event, kind, message);
        self.out.clear();
        events::put(&mut self.out, &event);
        self.draft.write(&self.out)
    }
}
