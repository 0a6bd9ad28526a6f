//! Where a run that was imported came from: `source` of its job.json. The same run is known again by its id, where its
//! format gives one that is the only one of its kind, else by its path.

use crate::base::json::{self, Value};
use std::path::PathBuf;

/// Where a run came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What wrote it: sacred, tensorboard, mlflow, csv, log
    pub format: String,
    /// Its file or directory, absolute
    pub path: PathBuf,
    /// Its id there, if no other run anywhere has the same
    pub id: Option<String>,
}

impl Source {
    /// Reads the member of a job.
    pub fn of(value: &Value) -> Option<Source> {
        let path = json::to_os(value.get("path")?)?.into();
        Some(Source { format: value.str("format")?.into(), path, id: value.str("id").map(String::from) })
    }

    /// The member of a job.
    pub fn to_json(&self) -> Value {
        let mut json =
            json::map([("format", Value::from(self.format.as_str())), ("path", json::from_os(self.path.as_os_str()))]);
        if let Some(id) = &self.id {
            json.set("id", id.as_str());
        }
        json
    }

    /// The same for the same run, and for no other.
    pub fn key(&self) -> String {
        let id = self.id.as_deref().map_or_else(|| json::from_os(self.path.as_os_str()), Value::from);
        format!("{} {id}", self.format)
    }
}
